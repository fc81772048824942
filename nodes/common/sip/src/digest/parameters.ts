import { isToken, splitList, unquote } from "../message/values.ts";

/** More parameters than any real challenge or credentials. */
const MAX_PARAMETERS = 32;

/**
 * auth-params of a `Digest` challenge or credentials (RFC 7235 §2.1) with names in lower case and values unquoted.
 * Undefined when the scheme is another one, a parameter is malformed or a name comes twice (RFC 7616 §3.4: that is an error).
 */
export function parseDigestParameters(value: string): ReadonlyMap<string, string> | undefined {
  const text = value.trim();
  const space = text.search(/[ \t]/);
  if (space < 0 || text.slice(0, space).toLowerCase() !== "digest") return undefined;
  const parameters = new Map<string, string>();
  for (const part of splitList(text.slice(space + 1))) {
    const equals = part.indexOf("=");
    if (equals <= 0) return undefined;
    const name = part.slice(0, equals).trim().toLowerCase();
    const raw = part.slice(equals + 1).trim();
    if (!isToken(name) || parameters.has(name) || parameters.size >= MAX_PARAMETERS) return undefined;
    if (raw.startsWith('"') && !(raw.length >= 2 && raw.endsWith('"'))) return undefined;
    parameters.set(name, unquote(raw));
  }
  return parameters.size === 0 ? undefined : parameters;
}
