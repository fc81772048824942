import { type HeaderSet, headerIdAt } from "../message/header-names.ts";
import { HARMLESS_PARAMETERS, HIDDEN } from "./redact-sip.ts";

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * The same message without the proofs and keys in those header fields, nonces kept: for the few messages that have some and are
 * written as nearly everybody writes them. Undefined for any other: `redactSip` understands more and takes longer.
 */
export function hideProofs(text: string, fields: HeaderSet): string | undefined {
  let shown = "";
  let copied = 0;
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
        const hidden = next === SPACE || next === TAB ? undefined : parametersOf(text, colon + 1, end);
        if (hidden === undefined) return undefined;
        shown += `${text.slice(copied, colon + 1)} ${hidden}`;
        copied = end;
      }
    }
    at = end + 2;
  }
  // A name that our table does not know, such as one with a space before its colon.
  return copied === 0 ? undefined : shown + text.slice(copied);
}

function parametersOf(text: string, start: number, end: number): string | undefined {
  let at = start;
  while (text.charCodeAt(at) === SPACE) at++;
  let shown = "";
  const space = text.indexOf(" ", at);
  const equals = text.indexOf("=", at);
  if (space > at && space < equals) {
    const scheme = text.slice(at, space);
    if (scheme.toLowerCase() !== "digest") return undefined;
    shown = `${scheme} `;
    at = space;
  }
  for (let separator = ""; ; separator = ", ") {
    while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === COMMA) at++;
    if (at >= end) return shown;
    const sign = text.indexOf("=", at);
    if (sign < 0 || sign >= end) return undefined;
    let stop = sign + 1;
    if (text.charCodeAt(stop) === QUOTE) {
      stop = text.indexOf('"', stop + 1) + 1;
      if (stop === 0 || stop > end) return undefined;
      const after = text.charCodeAt(stop);
      if (stop < end && after !== COMMA && after !== SPACE) return undefined;
    } else
      for (; stop < end && text.charCodeAt(stop) !== COMMA; stop++)
        if (!isTokenCode(text.charCodeAt(stop))) return undefined;
    const name = text.slice(at, sign).toLowerCase();
    const empty = stop === sign + 3 && text.charCodeAt(sign + 1) === QUOTE;
    if (name === "nonce" || empty || HARMLESS_PARAMETERS.has(name)) {
      const kept = text.slice(at, stop);
      if (kept.includes("\\") || mayHavePassword(kept)) return undefined;
      shown += separator + kept;
    } else shown += `${separator}${name}="${HIDDEN}"`;
    at = stop;
  }
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
