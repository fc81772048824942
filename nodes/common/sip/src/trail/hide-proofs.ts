import { knownParameter } from "../digest/parameter-names.ts";
import { type HeaderSet, headerIdAt } from "../message/header-names.ts";
import { HARMLESS_PARAMETERS, HIDDEN } from "./redact-sip.ts";

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SCHEME = "digest";

/**
 * The same message without the proofs and keys in those header fields, nonces kept: for the few messages that have some and are
 * written as nearly everybody writes them. Undefined for any other: `redactSip` understands more and takes longer.
 */
export function hideProofs(text: string, fields: HeaderSet): string | undefined {
  const cut = new Cut(text);
  let found = false;
  let at = text.indexOf("\r\n") + 2;
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return undefined;
    if (end === at) break;
    const first = text.charCodeAt(at) | 0x20;
    // a, p, w
    if (first === 0x61 || first === 0x70 || first === 0x77) {
      const colon = text.indexOf(":", at);
      if (colon < 0 || colon > end) return undefined;
      if (fields.hasId(headerIdAt(text, at, colon))) {
        const next = text.charCodeAt(end + 2);
        if (next === SPACE || next === TAB || !hideIn(text, colon + 1, end, cut)) return undefined;
        found = true;
      }
    }
    at = end + 2;
  }
  // A name that our table does not know, such as one with a space before its colon.
  return found ? cut.end() : undefined;
}

/** A text with other words in some places; what lies between is copied as a whole. */
class Cut {
  readonly #text: string;
  #shown = "";
  #copied = 0;

  constructor(text: string) {
    this.#text = text;
  }

  replace(from: number, to: number, by: string): void {
    this.#shown += this.#text.slice(this.#copied, from) + by;
    this.#copied = to;
  }

  /** What stands there becomes `by`, unless it is that already. */
  separate(from: number, to: number, by: string): void {
    if (to - from !== by.length || !this.#text.startsWith(by, from)) this.replace(from, to, by);
  }

  end(): string {
    return this.#shown + this.#text.slice(this.#copied);
  }
}

/** One value, written as `redactSip` writes it. False: it is not as nearly everybody writes it. */
function hideIn(text: string, start: number, end: number, cut: Cut): boolean {
  const backslash = text.indexOf("\\", start);
  if (backslash >= 0 && backslash < end) return false;
  let userinfo = text.indexOf("@", start);
  let at = afterSpaces(text, start);
  let gap = start;
  const space = text.indexOf(" ", at);
  const equals = text.indexOf("=", at);
  if (space > at && space < equals) {
    if (space - at !== SCHEME.length || text.slice(at, space).toLowerCase() !== SCHEME) return false;
    cut.separate(start, at, " ");
    gap = at = space;
  }
  for (let separator = " "; ; separator = ", ") {
    at = afterSpaces(text, at);
    if (separator === ", ") {
      if (at === end) {
        cut.separate(gap, end, "");
        return true;
      }
      if (text.charCodeAt(at) !== COMMA) return false;
      at = afterSpaces(text, at + 1);
    }
    const sign = text.indexOf("=", at);
    if (sign < 0 || sign >= end) return false;
    const stop = endOfParameter(text, sign + 1, end);
    if (stop < 0) return false;
    cut.separate(gap, at, separator);
    const name = knownParameter(text, at, sign);
    if (name === undefined) return false;
    const empty = stop === sign + 3 && text.charCodeAt(sign + 1) === QUOTE;
    if (name !== "nonce" && !empty && !HARMLESS_PARAMETERS.has(name))
      cut.replace(at, stop, `${name}="${HIDDEN}"`);
    else {
      if (userinfo >= 0 && userinfo < at) userinfo = text.indexOf("@", at);
      if (userinfo >= 0 && userinfo < stop && mayHavePassword(text.slice(at, stop))) return false;
    }
    gap = at = stop;
  }
}

function afterSpaces(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** Behind the value, a quoted string or letters, that begins here; -1: it is neither. */
function endOfParameter(text: string, start: number, end: number): number {
  let stop = start;
  if (text.charCodeAt(stop) === QUOTE) {
    stop = text.indexOf('"', stop + 1) + 1;
    if (stop === 0 || stop > end) return -1;
    const after = text.charCodeAt(stop);
    return stop < end && after !== COMMA && after !== SPACE ? -1 : stop;
  }
  for (; stop < end && text.charCodeAt(stop) !== COMMA; stop++)
    if (!isTokenCode(text.charCodeAt(stop))) return -1;
  return stop;
}

/** Letters, digits, "-", "." and "_". */
function isTokenCode(code: number): boolean {
  const letter = code | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x5f;
}

/** RFC 3261 §19.1.1: `sip:user:password@host`. */
function mayHavePassword(value: string): boolean {
  const at = value.lastIndexOf("@");
  return at > 0 && value.lastIndexOf(":", at) !== value.indexOf(":");
}
