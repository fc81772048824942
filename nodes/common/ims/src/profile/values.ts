import { child, type Element, XmlRefused } from "./xml.ts";

/** The text of a child that must be there and not be empty. */
export function text(parent: Element, name: string): string {
  const value = child(parent, name)?.text ?? "";
  if (value === "") throw new XmlRefused("MISSING_ELEMENT", name);
  return value;
}

/** xs:int, zero or more. */
export function integer(value: string, name: string): number {
  if (!/^[0-9]{1,10}$/.test(value)) throw new XmlRefused("BAD_VALUE", `${name} is not a number`);
  return Number(value);
}

export function optionalInteger(parent: Element | undefined, name: string): number | undefined {
  const found = child(parent, name);
  return found === undefined ? undefined : integer(found.text, name);
}

/** tBool: 0, 1, true, false; absent is false. */
export function boolean(parent: Element, name: string): boolean {
  const value = child(parent, name)?.text;
  if (value === undefined || value === "0" || value === "false") return false;
  if (value === "1" || value === "true") return true;
  throw new XmlRefused("BAD_VALUE", `${name} is not a boolean`);
}

/** A number of a closed list. */
export function oneOf<const N extends number>(parent: Element, name: string, values: readonly N[]): N {
  const number = integer(text(parent, name), name);
  const found = values.find((value) => value === number);
  if (found === undefined) throw new XmlRefused("BAD_VALUE", `${name} is ${number}`);
  return found;
}
