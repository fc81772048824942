import type { XmlElement } from "../xml/xml-element.ts";
import { attributeOf } from "../xml/xml-element.ts";
import type { SimservsFault } from "./simservs.ts";

/** What is wrong with a document, and where. */
export class SimservsRefused extends Error {
  readonly fault: SimservsFault;
  readonly place: string;

  constructor(element: XmlElement, reason: string, fault: SimservsFault = "schema-validation-error") {
    super(reason);
    this.fault = fault;
    this.place = placeOf(element);
  }
}

function placeOf(element: XmlElement): string {
  const id = attributeOf(element, "id");
  const step = id === undefined ? element.local : `${element.local}[@id="${id.slice(0, 80)}"]`;
  return element.parent === undefined ? step : `${placeOf(element.parent)}/${step}`;
}

/** xs:boolean. */
export function booleanOf(element: XmlElement, text = element.text): boolean {
  const value = text.trim();
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new SimservsRefused(element, `"${value.slice(0, 80)}" is neither true nor false`);
}
