import { readXmlDocument, type XmlElement, type XmlFault } from "@ims/ims";
import {
  attributeNamed,
  type NodeSelector,
  named,
  reach,
  type Step,
  selectElement,
} from "./node-selector.ts";
import type { XcapConflict } from "./xcap-error.ts";

/** What a change of a node comes to; `text` is the whole document after it. */
export type Edited =
  | { readonly kind: "edited"; readonly text: string; readonly created: boolean }
  /** Nothing is selected: RFC 4825 §8.4, of a DELETE. */
  | { readonly kind: "notFound" }
  | { readonly kind: "conflict"; readonly conflict: XcapConflict; readonly reached?: number };

interface Document {
  readonly text: string;
  readonly root: XmlElement;
}

/** Creates or replaces an element (RFC 4825 §8.2.3). What is not touched stays as it was written. */
export function putElement({ text, root }: Document, steps: readonly Step[], body: string): Edited {
  const fragment = body.trim();
  const existing = selectElement(root, steps);
  const parent = existing === undefined ? selectElement(root, steps.slice(0, -1)) : existing.parent;
  if (existing === undefined && parent === undefined) return noParent(root, steps);
  const bindings = parent?.bindings ?? new Map<string, string>();
  const read = readXmlDocument(fragment, { bindings });
  if (read.kind === "wrong") return conflict(faultOf(read.fault), `line ${read.line}: ${read.reason}`);
  if (read.root.start !== 0 || read.root.end !== fragment.length)
    return conflict("not-xml-frag", "one element is wanted, and nothing beside it");
  let edited: string;
  if (existing !== undefined) edited = text.slice(0, existing.start) + fragment + text.slice(existing.end);
  else {
    const inserted = parent && inserting(text, parent, steps.at(-1), fragment);
    if (inserted === undefined)
      return conflict("cannot-insert", "there are not as many elements before it as the selector says");
    edited = inserted;
  }
  // RFC 4825 §8.2.3: a GET of the same URI has to give back what was put.
  const after = readXmlDocument(edited);
  if (after.kind === "wrong") return conflict(faultOf(after.fault), after.reason);
  const found = selectElement(after.root, steps);
  if (found === undefined || edited.slice(found.start, found.end) !== fragment)
    return conflict("cannot-insert", "the element would not be the one that the selector selects");
  return { kind: "edited", text: edited, created: existing === undefined };
}

function faultOf(fault: XmlFault): "not-xml-frag" | "constraint-failure" {
  return fault === "NOT_WELL_FORMED" ? "not-xml-frag" : "constraint-failure";
}

/** Behind the last of its name, or where the position says; undefined: there is no such position. */
function inserting(
  text: string,
  parent: XmlElement,
  step: Step | undefined,
  fragment: string,
): string | undefined {
  const siblings = named(parent.children, step?.name);
  const position = step?.position;
  if (position !== undefined && position > siblings.length + 1) return undefined;
  const next = position === undefined ? undefined : siblings[position - 1];
  if (next !== undefined) return text.slice(0, next.start) + fragment + text.slice(next.start);
  if (parent.isEmptyTag)
    return `${text.slice(0, parent.openEnd - 2)}>${fragment}</${parent.name}>${text.slice(parent.end)}`;
  const at = siblings.at(-1)?.end ?? parent.children.at(-1)?.end ?? parent.openEnd;
  return text.slice(0, at) + fragment + text.slice(at);
}

/** RFC 4825 §8.4. */
export function deleteElement({ text, root }: Document, steps: readonly Step[]): Edited {
  const existing = selectElement(root, steps);
  if (existing === undefined) return { kind: "notFound" };
  if (existing.parent === undefined)
    return conflict("cannot-delete", "the root element stays; delete the document");
  const edited = text.slice(0, existing.start) + text.slice(existing.end);
  const after = readXmlDocument(edited);
  if (after.kind === "document" && selectElement(after.root, steps) !== undefined)
    return conflict("cannot-delete", "the selector would select another element then");
  return { kind: "edited", text: edited, created: false };
}

type AttributeName = Extract<NodeSelector["terminal"], { kind: "attribute" }>;

/** Creates or replaces an attribute: RFC 4825 §8.2.3. */
export function putAttribute(
  { text, root }: Document,
  steps: readonly Step[],
  name: AttributeName,
  value: string,
): Edited {
  const element = selectElement(root, steps);
  if (element === undefined) return noParent(root, steps);
  const quote = value.includes('"') ? "'" : '"';
  const isValue = readXmlDocument(`<a b=${quote}${value}${quote}/>`).kind === "document";
  if (!isValue || value.includes(quote))
    return conflict("not-xml-att-value", "it cannot stand between the quotes of an attribute");
  const existing = attributeNamed(element, name);
  const written = existing?.name ?? nameFor(element, name);
  if (written === undefined)
    return conflict("cannot-insert", "no prefix is declared for its name space there");
  const attribute = `${written}=${quote}${value}${quote}`;
  const tagEnd = element.openEnd - (element.isEmptyTag ? 2 : 1);
  const edited =
    existing === undefined
      ? `${text.slice(0, tagEnd).trimEnd()} ${attribute}${text.slice(tagEnd)}`
      : text.slice(0, existing.start) + attribute + text.slice(existing.end);
  const after = readXmlDocument(edited);
  if (after.kind === "wrong") return conflict("constraint-failure", after.reason);
  if (selectElement(after.root, steps) === undefined)
    return conflict("cannot-insert", "the selector would not select the element any more");
  return { kind: "edited", text: edited, created: existing === undefined };
}

/** RFC 4825 §8.4. */
export function deleteAttribute(
  { text, root }: Document,
  steps: readonly Step[],
  name: AttributeName,
): Edited {
  const element = selectElement(root, steps);
  const existing = element && attributeNamed(element, name);
  if (existing === undefined) return { kind: "notFound" };
  const edited = text.slice(0, existing.start).trimEnd() + text.slice(existing.end);
  const after = readXmlDocument(edited);
  if (after.kind === "wrong") return conflict("constraint-failure", after.reason);
  const found = selectElement(after.root, steps);
  if (found === undefined || attributeNamed(found, name) !== undefined)
    return conflict("cannot-delete", "the selector would not select the element any more");
  return { kind: "edited", text: edited, created: false };
}

/** As the attribute has to be written where it stands. */
function nameFor({ bindings }: XmlElement, { local, namespace }: AttributeName): string | undefined {
  if (namespace === "") return local;
  for (const [prefix, bound] of bindings)
    if (prefix !== "" && bound === namespace) return `${prefix}:${local}`;
  return undefined;
}

function noParent(root: XmlElement, steps: readonly Step[]): Edited {
  const reached = reach(root, steps.slice(0, -1));
  return { ...conflict("no-parent", "the parent of the node does not exist"), reached };
}

function conflict(element: XcapConflict["element"], phrase: string): Extract<Edited, { kind: "conflict" }> {
  return { kind: "conflict", conflict: { element, phrase } };
}
