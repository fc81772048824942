import type { XmlAttribute, XmlElement } from "@ims/ims";

/** One step of an element selector: RFC 4825 §6.3. */
export interface Step {
  /** Undefined: any name. */
  readonly name: ExpandedName | undefined;
  /** From 1. */
  readonly position: number | undefined;
  readonly attribute: (ExpandedName & { readonly value: string }) | undefined;
  /** As written. */
  readonly text: string;
}

export interface ExpandedName {
  readonly local: string;
  readonly namespace: string;
}

export interface NodeSelector {
  readonly steps: readonly Step[];
  readonly terminal:
    | { readonly kind: "element" }
    | ({ readonly kind: "attribute"; readonly text: string } & ExpandedName)
    | { readonly kind: "namespaces" };
}

const MAX_STEPS = 32;
const NCNAME = "[A-Za-z_\\u00c0-\\uffff][-.\\w\\u00b7-\\uffff]*";
const STEP = new RegExp(
  `^(\\*|(?:(${NCNAME}):)?(${NCNAME}))(?:\\[([0-9]{1,5})\\])?(?:\\[@(?:(${NCNAME}):)?(${NCNAME})=(?:"([^"]*)"|'([^']*)')\\])?$`,
);
const ATTRIBUTE = new RegExp(`^@(?:(${NCNAME}):)?(${NCNAME})$`);

/** `usual`: name space of element names without a prefix. A text says what is wrong. */
export function parseNodeSelector(
  text: string,
  bindings: ReadonlyMap<string, string>,
  usual: string,
): NodeSelector | string {
  const parts = splitSteps(text);
  if (parts.length > MAX_STEPS) return `more than ${MAX_STEPS} steps`;
  const last = parts.at(-1) ?? "";
  let terminal: NodeSelector["terminal"] = { kind: "element" };
  if (last === "namespace::*") terminal = { kind: "namespaces" };
  else if (last.startsWith("@")) {
    const [whole, prefix, local = ""] = ATTRIBUTE.exec(last) ?? [];
    const namespace = prefix === undefined ? "" : bindings.get(prefix);
    if (whole === undefined || namespace === undefined)
      return `"${last}" is no attribute selector, or its prefix is not declared`;
    terminal = { kind: "attribute", local, namespace, text: last };
  }
  const named = terminal.kind === "element" ? parts : parts.slice(0, -1);
  if (named.length === 0) return "no element is selected";
  const steps: Step[] = [];
  for (const part of named) {
    const step = stepOf(part, bindings, usual);
    if (typeof step === "string") return step;
    steps.push(step);
  }
  return { steps, terminal };
}

function stepOf(text: string, bindings: ReadonlyMap<string, string>, usual: string): Step | string {
  const match = STEP.exec(text);
  if (match === null) return `"${text.slice(0, 100)}" is no step of an element selector`;
  const [, any, prefix, local = "", position, attributePrefix, attributeLocal, quoted, apostrophed] = match;
  const namespace = prefix === undefined ? usual : bindings.get(prefix);
  const attributeNamespace = attributePrefix === undefined ? "" : bindings.get(attributePrefix);
  if (namespace === undefined || attributeNamespace === undefined)
    return `a prefix in "${text.slice(0, 100)}" is not declared: add xmlns(prefix=name space) to the query`;
  if (position !== undefined && Number(position) === 0) return "positions count from 1";
  return {
    name: any === "*" ? undefined : { local, namespace },
    position: position === undefined ? undefined : Number(position),
    attribute:
      attributeLocal === undefined
        ? undefined
        : { local: attributeLocal, namespace: attributeNamespace, value: quoted ?? apostrophed ?? "" },
    text,
  };
}

/** A "/" inside quotes separates nothing. */
function splitSteps(text: string): string[] {
  const parts: string[] = [];
  let quote = "";
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "/") {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** The element that the steps select; undefined when it is none, or more than one (RFC 4825 §6.3). */
export function selectElement(root: XmlElement, steps: readonly Step[]): XmlElement | undefined {
  let among: readonly XmlElement[] = [root];
  let selected: XmlElement | undefined;
  for (const step of steps) {
    const matching = matchingOf(among, step);
    if (matching.length !== 1) return undefined;
    selected = matching[0];
    among = selected?.children ?? [];
  }
  return selected;
}

/** How many of the steps lead to one element each. */
export function reach(root: XmlElement, steps: readonly Step[]): number {
  let count = steps.length;
  while (count > 0 && selectElement(root, steps.slice(0, count)) === undefined) count--;
  return count;
}

export function named(
  elements: readonly XmlElement[],
  name: ExpandedName | undefined,
): readonly XmlElement[] {
  if (name === undefined) return elements;
  return elements.filter(({ local, namespace }) => local === name.local && namespace === name.namespace);
}

function matchingOf(
  elements: readonly XmlElement[],
  { name, position, attribute }: Step,
): readonly XmlElement[] {
  let matching = named(elements, name);
  if (position !== undefined) matching = matching.slice(position - 1, position);
  return attribute === undefined
    ? matching
    : matching.filter((each) => attributeNamed(each, attribute)?.value === attribute.value);
}

export function attributeNamed(element: XmlElement, name: ExpandedName): XmlAttribute | undefined {
  return element.attributes.find((each) => each.local === name.local && each.namespace === name.namespace);
}
