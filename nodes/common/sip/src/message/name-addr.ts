import { Parameters } from "./parameters.ts";
import { parseUri, type Uri } from "./uri.ts";
import { unquote } from "./values.ts";

/** name-addr or addr-spec with header parameters: From, To, Contact, Route, Path, P-Asserted-Identity (RFC 3261 §20.10). */
export interface NameAddr {
  /** Without quotes; "" when absent. */
  readonly displayName: string;
  /** As written, between < and > when there are any. */
  readonly uriText: string;
  readonly uri: Uri;
  readonly parameters: Parameters;
}

/** Undefined when malformed. Without <> everything after ";" belongs to the header, not to the URI (RFC 3261 §20). */
export function parseNameAddr(text: string): NameAddr | undefined {
  const located = locateUri(text);
  if (located === undefined) return undefined;
  const { start, end, after } = located;
  const display = text.slice(0, located.displayEnd).trim();
  if (display !== "" && !isDisplayName(display)) return undefined;
  const uriText = text.slice(start, end);
  const uri = parseUri(uriText);
  if (uri === undefined) return undefined;
  const parameters = Parameters.parse(text, after);
  if (parameters === undefined) return undefined;
  return { displayName: unquote(display), uriText, uri, parameters };
}

/** Where the URI stands inside a name-addr or addr-spec, and where the header parameters begin. */
export function locateUri(
  text: string,
): { displayEnd: number; start: number; end: number; after: number } | undefined {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  const displayStart = at;
  if (text.charCodeAt(at) === 0x22) {
    at++;
    while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
    if (at >= text.length) return undefined;
    at++;
  }
  const open = text.indexOf("<", at);
  if (open >= 0) {
    const close = text.indexOf(">", open);
    if (close < 0) return undefined;
    let start = open + 1;
    let end = close;
    while (start < end && text.charCodeAt(start) <= 0x20) start++;
    while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
    return { displayEnd: open, start, end, after: close + 1 };
  }
  if (at !== displayStart) return undefined;
  const semicolon = text.indexOf(";", at);
  let end = semicolon < 0 ? text.length : semicolon;
  const after = end;
  while (end > at && text.charCodeAt(end - 1) <= 0x20) end--;
  // RFC 3261 §20: a URI with "?" or "," must be in <>; an addr-spec holds no space.
  if (text.slice(at, end).includes("?") || text.slice(at, end).includes(",")) return undefined;
  return { displayEnd: displayStart, start: at, end, after };
}

function isDisplayName(text: string): boolean {
  if (text.charCodeAt(0) === 0x22) return text.charCodeAt(text.length - 1) === 0x22 && text.length > 1;
  return /^[A-Za-z0-9\-.!%*_+`'~ \t\x80-\xff]+$/.test(text);
}
