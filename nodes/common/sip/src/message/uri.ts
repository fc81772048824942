import { allOf, HOST, isOf, lowerCase, PRINTABLE, USER } from "./chars.ts";
import { hashed, KnownParts } from "./known-parts.ts";
import { Parameters, type ReadonlyParameters } from "./parameters.ts";
import { decimal } from "./values.ts";

/** A sip, sips or tel URI (RFC 3261 §19.1, RFC 3966), or any other absolute URI with only its scheme known. */
export interface Uri {
  readonly scheme: string;
  /** sip: user part as written (escapes kept), "" when absent. tel: the number. Other schemes: all after the colon. */
  readonly user: string;
  readonly password: string | undefined;
  /** Lower case, IPv6 without brackets; "" for tel and others. */
  readonly host: string;
  readonly port: number | undefined;
  /** Shared by URIs with the same ones. */
  readonly parameters: ReadonlyParameters;
  /** After "?", as written. */
  readonly headers: string;
}

const USER_PART = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+$/;
const IPV6 = /^[0-9A-Fa-f:.]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/;

/** Parses an addr-spec; undefined when it is none. Linear in its length. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  const scheme = lowerCase(text, 0, colon);
  if (scheme === "sip" || scheme === "sips") return parseSipUri(text, scheme, colon + 1);
  if (!allOf(PRINTABLE, text, 0, text.length) || !SCHEME.test(scheme)) return undefined;
  if (scheme === "tel") return parseTelUri(text, colon + 1);
  return {
    scheme,
    user: text.slice(colon + 1),
    password: undefined,
    host: "",
    port: undefined,
    parameters: new Parameters(),
    headers: "",
  };
}

/** A sip or sips URI; undefined when it is none. */
export function parseSipOrSipsUri(text: string): Uri | undefined {
  const uri = parseUri(text);
  return uri?.scheme === "sip" || uri?.scheme === "sips" ? uri : undefined;
}

/** What follows the user: the same in the URIs of all users of a domain, and of all dialogs through a proxy. */
type Place = Pick<Uri, "host" | "port" | "parameters" | "headers">;
const places = new KnownParts<Place>();

function parseSipUri(text: string, scheme: string, start: number): Uri | undefined {
  // 1. Where the parts end; what may not stand in a URI ends it all.
  let at = -1;
  let password = -1;
  let hash = 0;
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x3c || code === 0x3e || code === 0x22 || !isOf(PRINTABLE, code)) return undefined;
    hash = hashed(hash, code);
    if (at >= 0) continue;
    if (code === 0x40) {
      at = index;
      hash = 0;
    } else if (code === 0x3a && password < 0) password = index;
  }

  // 2. userinfo
  let user = "";
  if (at >= 0) {
    user = text.slice(start, password < 0 ? at : password);
    if (!isUser(user)) return undefined;
  }

  // 3. hostport, parameters, headers
  const place = places.find(hash, text, at < 0 ? start : at + 1, parsePlace);
  if (place === undefined) return undefined;
  return {
    scheme,
    user,
    password: at < 0 || password < 0 ? undefined : text.slice(password + 1, at),
    host: place.host,
    port: place.port,
    parameters: place.parameters,
    headers: place.headers,
  };
}

function parsePlace(text: string): Place | undefined {
  const question = text.indexOf("?");
  const end = question < 0 ? text.length : question;
  const semicolon = text.indexOf(";");
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon;
  const hostport = parseHostPort(text.slice(0, hostEnd));
  if (hostport === undefined) return undefined;
  const parameters =
    hostEnd === end ? new Parameters() : Parameters.parse(unescapeUnreserved(text.slice(hostEnd, end)));
  if (parameters === undefined) return undefined;
  const { host, port } = hostport;
  return { host, port, parameters, headers: question < 0 ? "" : text.slice(question + 1) };
}

/** Escapes are rare: the expression sees only what holds one. */
function isUser(text: string): boolean {
  if (text.length > 0 && allOf(USER, text, 0, text.length)) return true;
  return USER_PART.test(text);
}

function parseTelUri(text: string, start: number): Uri | undefined {
  const semicolon = text.indexOf(";", start);
  const number = text.slice(start, semicolon < 0 ? text.length : semicolon);
  if (!/^\+?[0-9A-Fa-f*#\-.()]+$/.test(number)) return undefined;
  const parameters = semicolon < 0 ? new Parameters() : Parameters.parse(text, semicolon);
  if (parameters === undefined) return undefined;
  return {
    scheme: "tel",
    user: number,
    password: undefined,
    host: "",
    port: undefined,
    parameters,
    headers: "",
  };
}

/** host [":" port] with IPv6 references; undefined when malformed (RFC 3261 §25.1 hostport). */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let hostEnd: number;
  let host: string;
  if (text.charCodeAt(0) === 0x5b) {
    hostEnd = text.indexOf("]") + 1;
    if (hostEnd === 0) return undefined;
    host = lowerCase(text, 1, hostEnd - 1);
    if (!IPV6.test(host) || !host.includes(":")) return undefined;
  } else {
    const colon = text.indexOf(":");
    hostEnd = colon < 0 ? text.length : colon;
    if (!isHost(text, hostEnd)) return undefined;
    host = lowerCase(text, 0, hostEnd);
  }
  if (hostEnd === text.length) return { host, port: undefined };
  if (text.charCodeAt(hostEnd) !== 0x3a) return undefined;
  const port = decimal(text.slice(hostEnd + 1), 5);
  if (port === undefined || port > 65535) return undefined;
  return { host, port };
}

/** Labels that neither begin nor end with "-", separated by single dots; a dot may close the name. */
function isHost(text: string, end: number): boolean {
  if (end === 0 || end > 255) return false;
  let previous = 0x2e;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      if (previous === 0x2e || previous === 0x2d) return false;
    } else if (!isOf(HOST, code) || (code === 0x2d && previous === 0x2e)) return false;
    previous = code;
  }
  return previous !== 0x2d;
}

/** The host as it stands in a URI or a Via: IPv6 in brackets. */
export function hostForUri(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function uriToString(uri: Uri): string {
  if (uri.scheme === "tel") return `tel:${uri.user}${uri.parameters}`;
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return `${uri.scheme}:${uri.user}`;
  const password = uri.password === undefined ? "" : `:${uri.password}`;
  const userinfo = uri.user === "" ? "" : `${uri.user}${password}@`;
  const port = uri.port === undefined ? "" : `:${uri.port}`;
  const headers = uri.headers === "" ? "" : `?${uri.headers}`;
  return `${uri.scheme}:${userinfo}${hostForUri(uri.host)}${port}${uri.parameters}${headers}`;
}

/** RFC 3261 §19.1.4: an escaped unreserved character is that character ("%6Cr" is "lr"). */
function unescapeUnreserved(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-_.!~*'()]/.test(char) ? char : whole;
  });
}

function unescapeUser(text: string): string {
  return text.includes("%")
    ? text.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
        const char = String.fromCharCode(Number.parseInt(hex, 16));
        return USER_PART.test(char) ? char : whole.toUpperCase();
      })
    : text;
}

/** Key under which RFC 3261 §19.1.4 equality (without parameters) is string equality: scheme, unescaped user, host, port. */
export function uriKey(uri: Uri): string {
  if (uri.scheme === "tel") return `tel:${uri.user.replace(/[-.()]/g, "").toLowerCase()}`;
  const port = uri.port === undefined ? "" : `:${uri.port}`;
  return `${uri.scheme}:${uri.user === "" ? "" : `${unescapeUser(uri.user)}@`}${hostForUri(uri.host)}${port}`;
}

/** RFC 3261 §19.1.4 with the parameters that always count: user, ttl, method, maddr, transport; others only when both have them. */
export function uriEquals(a: Uri, b: Uri): boolean {
  if (a.scheme !== b.scheme || uriKey(a) !== uriKey(b) || (a.password ?? "") !== (b.password ?? ""))
    return false;
  for (const name of new Set([...a.parameters.names, ...b.parameters.names])) {
    const left = a.parameters.get(name);
    const right = b.parameters.get(name);
    const always =
      name === "user" || name === "ttl" || name === "method" || name === "maddr" || name === "transport";
    if (left === undefined || right === undefined) {
      if (always) return false;
    } else if (left.toLowerCase() !== right.toLowerCase()) return false;
  }
  return a.headers === b.headers;
}
