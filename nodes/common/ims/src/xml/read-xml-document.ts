import type { XmlAttribute, XmlElement, XmlFault, XmlResult } from "./xml-element.ts";

export interface ReadXmlOptions {
  /** Characters; default 65,536. */
  readonly maxLength?: number;
  /** Default 32. */
  readonly maxDepth?: number;
  /** Prefixes that are declared around the text: it is a fragment. Default: none, and the text is a document. */
  readonly bindings?: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 65_536;
const MAX_DEPTH = 32;
const MAX_ATTRIBUTES = 32;
/** Elements and attributes: read in some milliseconds. */
const MAX_NODES = 3_000;
const MAX_NAMESPACES = 64;
const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

const NAME = "[A-Za-z_\\u00c0-\\ud7ff\\uf900-\\ufffd][-.0-9A-Za-z_\\u00b7-\\ud7ff\\uf900-\\ufffd]*";
const QNAME = `${NAME}(?::${NAME})?`;
const START_TAG = new RegExp(`<(${QNAME})`, "y");
const ATTRIBUTE = new RegExp(`\\s+(${QNAME})\\s*=\\s*("[^<"]*"|'[^<']*')`, "y");
const TAG_END = /\s*(\/?)>/y;
const END_TAG = new RegExp(`</(${QNAME})\\s*>`, "y");
const DECLARATION =
  /^<\?xml\s+version\s*=\s*(?:"1\.[0-9]"|'1\.[0-9]')(?:\s+encoding\s*=\s*(?:"([^"]*)"|'([^']*)'))?(?:\s+standalone\s*=\s*(?:"yes"|"no"|'yes'|'no'))?\s*\?>/;
const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));|&/g;
const NAMED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Text of octets that are UTF-8; a byte order mark is taken off. Undefined when they are something else. */
export function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/**
 * Reads a small document with name spaces (XML 1.0, Namespaces in XML 1.0) in one pass. Document types, and with them entities,
 * are refused; length, depth and the number of elements and attributes are bounded. Never throws.
 */
export function readXmlDocument(text: string, options: ReadXmlOptions = {}): XmlResult {
  try {
    return { kind: "document", root: new Reader(text, options).read(), text };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const line = error.at < 0 ? 0 : text.slice(0, error.at).split("\n").length;
    return { kind: "wrong", fault: error.fault, reason: error.message, line };
  }
}

class Refused extends Error {
  readonly fault: XmlFault;
  readonly at: number;

  constructor(fault: XmlFault, reason: string, at: number) {
    super(reason);
    this.fault = fault;
    this.at = at;
  }
}

interface Open extends Omit<XmlElement, "closeStart" | "end" | "children" | "parent" | "text"> {
  readonly parent: Open | undefined;
  readonly children: XmlElement[];
  text: string;
  closeStart: number;
  end: number;
}

class Reader {
  readonly #text: string;
  readonly #maxLength: number;
  readonly #maxDepth: number;
  readonly #outside: ReadonlyMap<string, string>;
  readonly #isFragment: boolean;
  #at = 0;
  #depth = 0;
  #nodes = 0;
  #open: Open | undefined;
  #root: Open | undefined;

  constructor(text: string, { maxLength = MAX_LENGTH, maxDepth = MAX_DEPTH, bindings }: ReadXmlOptions) {
    this.#text = text;
    this.#maxLength = maxLength;
    this.#maxDepth = maxDepth;
    this.#isFragment = bindings !== undefined;
    this.#outside = new Map([["xml", XML_NAMESPACE], ...(bindings ?? [])]);
  }

  read(): XmlElement {
    const text = this.#text;
    if (text.length > this.#maxLength)
      throw new Refused("TOO_LARGE", `more than ${this.#maxLength} characters`, -1);
    const bad = text.search(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/);
    if (bad >= 0) this.#refuse("a character that XML 1.0 does not have", bad);
    this.#declaration();
    for (;;) {
      const next = text.indexOf("<", this.#at);
      this.#characters(next < 0 ? text.length : next);
      if (next < 0) break;
      this.#at = next;
      this.#markup();
    }
    if (this.#open !== undefined) this.#refuse(`<${shown(this.#open.name)}> is not closed`, this.#open.start);
    if (this.#root === undefined) this.#refuse("no root element", text.length);
    return this.#root;
  }

  #refuse(reason: string, at = this.#at): never {
    throw new Refused("NOT_WELL_FORMED", reason, at);
  }

  #declaration(): void {
    if (!/^<\?xml\s/.test(this.#text)) return;
    const match = DECLARATION.exec(this.#text.slice(0, 200));
    if (match === null || this.#isFragment) this.#refuse("an XML declaration that is none, or not here", 0);
    const encoding = match[1] ?? match[2] ?? "UTF-8";
    if (!/^(?:utf-8|us-ascii)$/i.test(encoding))
      throw new Refused("NOT_UTF8", `encoding ${shown(encoding)}; write UTF-8`, 0);
    this.#at = match[0].length;
  }

  #characters(end: number): void {
    if (end === this.#at) return;
    const data = this.#text.slice(this.#at, end);
    if (this.#open !== undefined) {
      if (data.includes("]]>")) this.#refuse('"]]>" outside CDATA');
      this.#open.text += this.#resolved(data, this.#at);
    } else if (/[^ \t\r\n\ufeff]/.test(data)) this.#refuse("text outside the root element");
  }

  #resolved(data: string, start: number): string {
    if (!data.includes("&")) return data;
    return data.replace(REFERENCE, (whole, hex, decimal, name, offset: number) => {
      if (name !== undefined) return NAMED.get(name) ?? "";
      const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN);
      const isCharacter =
        code === 9 ||
        code === 10 ||
        code === 13 ||
        (code >= 32 && code < 0xd800) ||
        (code > 0xdfff && code < 0xfffe) ||
        (code > 0xffff && code <= 0x10ffff);
      if (whole === "&" || !isCharacter)
        this.#refuse(
          "a reference to an entity, or to no character; only &lt; &gt; &amp; &quot; &apos; are known",
          start + offset,
        );
      return String.fromCodePoint(code);
    });
  }

  #markup(): void {
    const text = this.#text;
    const second = text.charCodeAt(this.#at + 1);
    if (second === 0x2f) return this.#endTag();
    if (second === 0x21) {
      if (text.startsWith("<!--", this.#at)) return this.#skip("<!--", "-->", "a comment");
      if (text.startsWith("<![CDATA[", this.#at)) return this.#cdata();
      if (/^<!(?:DOCTYPE|ENTITY)/i.test(text.slice(this.#at, this.#at + 9)))
        throw new Refused("DOCTYPE_REFUSED", "document types and entities are not accepted", this.#at);
      this.#refuse("unknown markup");
    }
    if (second === 0x3f) return this.#skip("<?", "?>", "a processing instruction");
    this.#startTag();
  }

  #skip(open: string, close: string, what: string): void {
    const end = this.#text.indexOf(close, this.#at + open.length);
    if (end < 0) this.#refuse(`${what} is not finished`);
    this.#at = end + close.length;
  }

  #cdata(): void {
    const start = this.#at + 9;
    if (this.#open === undefined) this.#refuse("CDATA outside the root element");
    this.#skip("<![CDATA[", "]]>", "CDATA");
    this.#open.text += this.#text.slice(start, this.#at - 3);
  }

  #startTag(): void {
    const start = this.#at;
    if (this.#open === undefined && this.#root !== undefined) this.#refuse("more than one root element");
    const name = this.#match(START_TAG)?.[1];
    if (name === undefined) this.#refuse('"<" that begins no tag');
    const written: { name: string; value: string; start: number; end: number }[] = [];
    for (let match = this.#match(ATTRIBUTE); match !== null; match = this.#match(ATTRIBUTE)) {
      const [whole, attribute = "", quoted = ""] = match;
      if (written.length === MAX_ATTRIBUTES) this.#refuse(`more than ${MAX_ATTRIBUTES} attributes`);
      const end = this.#at;
      const valueStart = end - quoted.length + 1;
      const value = this.#resolved(quoted.slice(1, -1).replace(/[\t\r\n]/g, " "), valueStart);
      written.push({ name: attribute, value, start: end - whole.trimStart().length, end });
    }
    const close = this.#match(TAG_END);
    if (close === null) this.#refuse(`<${shown(name)}> is not well-formed`, start);
    this.#nodes += 1 + written.length;
    if (this.#nodes > MAX_NODES)
      throw new Refused("TOO_LARGE", `more than ${MAX_NODES} elements and attributes`, start);
    if (++this.#depth > this.#maxDepth)
      throw new Refused("TOO_DEEP", `more than ${this.#maxDepth} levels`, start);
    const bindings = this.#bindings(written);
    const attributes = this.#attributes(written, bindings);
    const { local, namespace } = this.#expanded(name, bindings, bindings.get("") ?? "", start);
    const isEmptyTag = close[1] === "/";
    const element: Open = {
      name,
      local,
      namespace,
      attributes,
      bindings,
      children: [],
      text: "",
      parent: this.#open,
      start,
      openEnd: this.#at,
      closeStart: this.#at,
      end: this.#at,
      isEmptyTag,
    };
    this.#open?.children.push(element);
    this.#root ??= element;
    if (isEmptyTag) this.#depth--;
    else this.#open = element;
  }

  #endTag(): void {
    const start = this.#at;
    const name = this.#match(END_TAG)?.[1];
    const open = this.#open;
    if (open === undefined || name !== open.name)
      this.#refuse(`</${shown(name ?? "")}> closes nothing`, start);
    open.closeStart = start;
    open.end = this.#at;
    this.#depth--;
    this.#open = open.parent;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  /** What `xmlns` and `xmlns:prefix` say, above what was said before. */
  #bindings(written: readonly { name: string; value: string; start: number }[]): ReadonlyMap<string, string> {
    const outer = this.#open?.bindings ?? this.#outside;
    let bindings: Map<string, string> | undefined;
    for (const { name, value, start } of written) {
      if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
      const prefix = name.slice(6);
      if (prefix === "xml" || prefix === "xmlns" || (prefix !== "" && value === ""))
        this.#refuse(`${shown(name)} may not be declared so`, start);
      bindings ??= new Map(outer);
      bindings.set(prefix, value);
      if (bindings.size > MAX_NAMESPACES) this.#refuse(`more than ${MAX_NAMESPACES} name spaces`, start);
    }
    return bindings ?? outer;
  }

  #attributes(
    written: readonly { name: string; value: string; start: number; end: number }[],
    bindings: ReadonlyMap<string, string>,
  ): readonly XmlAttribute[] {
    const attributes: XmlAttribute[] = [];
    for (const { name, value, start, end } of written) {
      const isDeclaration = name === "xmlns" || name.startsWith("xmlns:");
      const expanded = isDeclaration
        ? { local: name, namespace: "http://www.w3.org/2000/xmlns/" }
        : this.#expanded(name, bindings, "", start);
      if (attributes.some((one) => one.local === expanded.local && one.namespace === expanded.namespace))
        this.#refuse(`attribute ${shown(name)} twice`, start);
      attributes.push({ name, ...expanded, value, start, end });
    }
    return attributes;
  }

  #expanded(
    name: string,
    bindings: ReadonlyMap<string, string>,
    without: string,
    at: number,
  ): { local: string; namespace: string } {
    const colon = name.indexOf(":");
    if (colon < 0) return { local: name, namespace: without };
    const namespace = bindings.get(name.slice(0, colon));
    if (namespace === undefined) this.#refuse(`prefix of ${shown(name)} is not declared`, at);
    return { local: name.slice(colon + 1), namespace };
  }
}

function shown(name: string): string {
  return name.slice(0, 80);
}
