import { XMLParser } from "fast-xml-parser";
import type { UserProfileFault } from "./user-profile.ts";

const MAX_LENGTH = 2 * 1024 * 1024;
const MAX_DEPTH = 64;

/** A document that cannot be read; `code` is what the caller reports. */
export class XmlRefused extends Error {
  readonly code: UserProfileFault;

  constructor(code: UserProfileFault, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  processEntities: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: "#text",
});

/** An element: its children in document order, or the text of a leaf. */
export type Element = { readonly name: string; readonly children: readonly Element[]; readonly text: string };

/** Reads a document of at most 2 MB and 64 levels. Document types, and with them entities, are refused. Throws XmlRefused. */
export function readXml(xml: string): Element {
  if (xml.length > MAX_LENGTH) throw new XmlRefused("TOO_LARGE", `more than ${MAX_LENGTH} characters`);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml))
    throw new XmlRefused("DOCTYPE_REFUSED", "a document type is not accepted");
  checkNesting(xml);
  let parsed: unknown;
  try {
    parsed = parser.parse(xml);
  } catch (cause) {
    throw new XmlRefused("NOT_XML", cause instanceof Error ? cause.message : "unreadable", { cause });
  }
  const roots = elements(parsed);
  const root = roots.find((each) => each.name !== "#text");
  if (root === undefined) throw new XmlRefused("NOT_XML", "no root element");
  return root;
}

/** First child of that name. */
export function child(parent: Element | undefined, name: string): Element | undefined {
  return parent?.children.find((each) => each.name === name);
}

/** All children of that name. */
export function childrenOf(parent: Element | undefined, name: string): readonly Element[] {
  return parent === undefined ? [] : parent.children.filter((each) => each.name === name);
}

/** The parser forgives tags that do not match; a user profile that was cut must not pass for a shorter one. */
function checkNesting(xml: string): void {
  const open: string[] = [];
  let roots = 0;
  const tag =
    /<(?:!--[\s\S]*?-->|!\[CDATA\[[\s\S]*?\]\]>|\?[\s\S]*?\?>|(\/?)([^\s<>/!?]+)(?=[\s/>])([^<>]*?)(\/?)>)|</g;
  for (let match = tag.exec(xml); match !== null; match = tag.exec(xml)) {
    if (match[0] === "<") throw new XmlRefused("NOT_XML", `unfinished markup at ${match.index}`);
    const name = match[2];
    if (name === undefined) continue;
    if (match[1] === "/") {
      if (open.pop() !== name) throw new XmlRefused("NOT_XML", `</${name.slice(0, 80)}> does not match`);
      continue;
    }
    if (open.length === 0 && ++roots > 1) throw new XmlRefused("NOT_XML", "more than one root element");
    if (match[4] === "/") continue;
    open.push(name);
    if (open.length > MAX_DEPTH) throw new XmlRefused("TOO_DEEP", `more than ${MAX_DEPTH} levels`);
  }
  if (open.length > 0) throw new XmlRefused("NOT_XML", `<${open.at(-1)?.slice(0, 80)}> is not closed`);
}

function elements(nodes: unknown): Element[] {
  if (!Array.isArray(nodes)) return [];
  const found: Element[] = [];
  for (const node of nodes as Record<string, unknown>[]) {
    for (const name of Object.keys(node)) {
      if (name === ":@") continue;
      const value = node[name];
      if (Array.isArray(value)) {
        const children = elements(value);
        const text = children
          .filter((each) => each.name === "#text")
          .map((each) => each.text)
          .join("");
        found.push({ name, children: children.filter((each) => each.name !== "#text"), text });
      } else {
        found.push({ name, children: [], text: unescapeXml(String(value)) });
      }
    }
  }
  return found;
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
