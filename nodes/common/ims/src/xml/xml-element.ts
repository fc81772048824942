/** An attribute with its place in the text: from the first character of its name to behind the closing quote. */
export interface XmlAttribute {
  /** As written. */
  readonly name: string;
  readonly local: string;
  /** "": in no name space. */
  readonly namespace: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** An element with its place in the text, so that a change leaves everything else as it was written. */
export interface XmlElement {
  /** As written. */
  readonly name: string;
  readonly local: string;
  /** "": in no name space. */
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** Character data directly inside, references replaced. */
  readonly text: string;
  readonly parent: XmlElement | undefined;
  /** Prefixes that are declared here and above; "" is the default name space. */
  readonly bindings: ReadonlyMap<string, string>;
  readonly start: number;
  /** Behind the start tag. */
  readonly openEnd: number;
  /** Where the end tag begins; of an empty-element tag the same as `openEnd`. */
  readonly closeStart: number;
  readonly end: number;
  readonly isEmptyTag: boolean;
}

export type XmlFault = "NOT_WELL_FORMED" | "NOT_UTF8" | "DOCTYPE_REFUSED" | "TOO_LARGE" | "TOO_DEEP";

/** `line` counts from 1; 0: the document as a whole. */
export type XmlResult =
  | { readonly kind: "document"; readonly root: XmlElement; readonly text: string }
  | { readonly kind: "wrong"; readonly fault: XmlFault; readonly reason: string; readonly line: number };

/** The value of an attribute that is in no name space. */
export function attributeOf(element: XmlElement, local: string): string | undefined {
  return element.attributes.find((each) => each.local === local && each.namespace === "")?.value;
}

/** Children with that expanded name. */
export function childrenNamed(element: XmlElement, namespace: string, local: string): readonly XmlElement[] {
  return element.children.filter((each) => each.local === local && each.namespace === namespace);
}
