import { isToken, splitList, unquote } from "../message/values.ts";
import { knownParameter } from "./parameter-names.ts";

/** More parameters than any real challenge or credentials. */
const MAX_PARAMETERS = 32;
const SCHEME = "digest";
const QUOTED_STRING = /^"(?:[^"\\]|\\[\s\S])*"$/;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * auth-params of a `Digest` challenge or credentials (RFC 7235 §2.1) with names in lower case and values unquoted.
 * Undefined when the scheme is another one, a parameter is malformed or a name comes twice (RFC 7616 §3.4: that is an error).
 */
export function parseDigestParameters(value: string): ReadonlyMap<string, string> | undefined {
  return parametersInOneGo(value) ?? parametersInPieces(value);
}

/** As nearly everybody writes them, in one pass; undefined for anything else, such as escapes, and for what is wrong. */
function parametersInOneGo(text: string): ReadonlyMap<string, string> | undefined {
  const { length } = text;
  const after = text.charCodeAt(SCHEME.length);
  if (after !== SPACE && after !== TAB) return undefined;
  if (!text.startsWith("Digest") && text.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  if (text.includes("\\")) return undefined;
  const parameters = new Map<string, string>();
  for (let at = SCHEME.length; ; ) {
    for (let code = text.charCodeAt(at); code === SPACE || code === TAB || code === COMMA; )
      code = text.charCodeAt(++at);
    if (at >= length) return parameters.size === 0 ? undefined : parameters;
    const equals = text.indexOf("=", at);
    if (equals <= at || parameters.size >= MAX_PARAMETERS) return undefined;
    const known = knownParameter(text, at, equals);
    const name = known ?? text.slice(at, equals).toLowerCase();
    if ((known === undefined && !isToken(name)) || parameters.has(name)) return undefined;
    const start = equals + 1;
    if (text.charCodeAt(start) === QUOTE) {
      const close = text.indexOf('"', start + 1);
      if (close < 0) return undefined;
      parameters.set(name, text.slice(start + 1, close));
      at = close + 1;
      for (let code = text.charCodeAt(at); code === SPACE || code === TAB; ) code = text.charCodeAt(++at);
      if (at < length && text.charCodeAt(at) !== COMMA) return undefined;
    } else {
      const comma = text.indexOf(",", start);
      at = comma < 0 ? length : comma;
      const plain = text.slice(start, at);
      if (!isToken(plain)) return undefined;
      parameters.set(name, plain);
    }
  }
}

/** The same with whatever RFC 7235 allows around and in a value. */
function parametersInPieces(value: string): ReadonlyMap<string, string> | undefined {
  const text = value.trim();
  const space = text.search(/[ \t]/);
  if (space < 0 || text.slice(0, space).toLowerCase() !== SCHEME) return undefined;
  const parameters = new Map<string, string>();
  for (const part of splitList(text.slice(space + 1))) {
    const equals = part.indexOf("=");
    if (equals <= 0) return undefined;
    const name = part.slice(0, equals).trim().toLowerCase();
    const raw = part.slice(equals + 1).trim();
    if (!isToken(name) || parameters.has(name) || parameters.size >= MAX_PARAMETERS) return undefined;
    if (raw.startsWith('"') && !QUOTED_STRING.test(raw)) return undefined;
    parameters.set(name, unquote(raw));
  }
  return parameters.size === 0 ? undefined : parameters;
}
