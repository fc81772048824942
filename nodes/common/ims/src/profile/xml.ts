import type { UserProfileFault } from "./user-profile.ts";

/** A few hundred filter criteria; read in some milliseconds. */
const MAX_LENGTH = 512 * 1024;
const MAX_DEPTH = 64;

/** A document that cannot be read; `code` is what the caller reports. */
export class XmlRefused extends Error {
  readonly code: UserProfileFault;

  constructor(code: UserProfileFault, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

/** An element: its children in document order, or the text of a leaf. */
export type Element = {
  readonly name: string;
  readonly children: readonly Element[];
  readonly text: string;
  /** As they are written: see attributeOf. */
  readonly attributes: string;
};

/**
 * Reads a document of at most 512 kB (or `maxLength` characters) and 64 levels, in one pass: comments, processing
 * instructions and name space prefixes are passed over, document types, and with them entities, are refused. Throws XmlRefused.
 */
export function readXml(xml: string, maxLength: number = MAX_LENGTH): Element {
  if (xml.length > maxLength) throw new XmlRefused("TOO_LARGE", `more than ${maxLength} characters`);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml))
    throw new XmlRefused("DOCTYPE_REFUSED", "a document type is not accepted");
  // What was no UTF-8 has become U+FFFD when it was decoded.
  const replaced = xml.indexOf("\ufffd");
  if (replaced >= 0) throw new XmlRefused("NOT_XML", `characters that are no UTF-8 at ${replaced}`);
  return readTree(xml);
}

/** First child of that name. */
export function child(parent: Element | undefined, name: string): Element | undefined {
  return parent?.children.find((each) => each.name === name);
}

/** All children of that name. */
export function childrenOf(parent: Element | undefined, name: string): readonly Element[] {
  return parent === undefined ? [] : parent.children.filter((each) => each.name === name);
}

/** Value of an attribute by its name without prefix; undefined when it is not there. Linear in the length of the tag. */
export function attributeOf({ attributes }: Element, name: string): string | undefined {
  const next = new RegExp(ATTRIBUTE);
  for (let match = next.exec(attributes); match !== null; match = next.exec(attributes)) {
    const [, key, double, single] = match;
    if (key === name) return unescapeXml(double ?? single ?? "");
  }
  return undefined;
}

const ATTRIBUTE = /\s*(?:[^\s=:"'<>]+:)?([^\s=:"'<>]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;

interface OpenElement {
  readonly tag: string;
  readonly name: string;
  readonly attributes: string;
  readonly children: Element[];
  text: string;
}

/** Markup: comment, CDATA (1), processing instruction, tag with "/" (2), name (3), attributes (4) and "/" (5), or a "<" that is none of it. */
const MARKUP =
  /<(?:!--[\s\S]*?-->|!\[CDATA\[([\s\S]*?)\]\]>|\?[\s\S]*?\?>|(\/?)([^\s<>/!?"'=]+)(?:\s((?:[^<>"'/]|"[^"<]*"|'[^'<]*'|\/(?!>))*))?(\/?)>)|</g;

function readTree(xml: string): Element {
  const markup = new RegExp(MARKUP);
  const open: OpenElement[] = [];
  let root: Element | undefined;
  let at = 0;
  const takeText = (text: string, isLiteral = false): void => {
    const parent = open.at(-1);
    if (parent !== undefined) parent.text += isLiteral ? text : unescapeXml(text.trim());
    else if (text.trim().replace("\ufeff", "") !== "")
      throw new XmlRefused("NOT_XML", "text outside the root element");
  };
  const close = ({ name, children, text, attributes }: OpenElement): void => {
    const element = { name, children, text, attributes };
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
  };
  for (let match = markup.exec(xml); match !== null; match = markup.exec(xml)) {
    const [whole, literal, slash, tag, attributes = "", empty] = match;
    if (whole === "<") throw new XmlRefused("NOT_XML", `unfinished markup at ${match.index}`);
    if (match.index > at) takeText(xml.slice(at, match.index));
    at = match.index + whole.length;
    if (literal !== undefined) takeText(literal, true);
    if (tag === undefined) continue;
    if (slash === "/") {
      const last = open.pop();
      if (last === undefined || last.tag !== tag || empty === "/")
        throw new XmlRefused("NOT_XML", `</${tag.slice(0, 80)}> at ${match.index} does not match`);
      close(last);
      continue;
    }
    if (open.length === 0 && root !== undefined)
      throw new XmlRefused("NOT_XML", "more than one root element");
    const opened = { tag, name: tag.slice(tag.indexOf(":") + 1), children: [], text: "", attributes };
    if (empty === "/") close(opened);
    else if (open.push(opened) > MAX_DEPTH) throw new XmlRefused("TOO_DEEP", `more than ${MAX_DEPTH} levels`);
  }
  takeText(xml.slice(at));
  if (open.length > 0) throw new XmlRefused("NOT_XML", `<${open.at(-1)?.tag.slice(0, 80)}> is not closed`);
  if (root === undefined) throw new XmlRefused("NOT_XML", "no root element");
  return root;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED.get(name) ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Text as element content. Characters that XML 1.0 cannot carry are left out. */
export function escapeXml(text: string): string {
  if (!/[<>&"'\x00-\x08\x0b\x0c\x0e-\x1f]/.test(text)) return text;
  return text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&apos;");
}
