import { createHash } from "node:crypto";

/** In place of what is not shown. */
export const HIDDEN = "<hidden>";

/** Field names that carry credentials, and whatever somebody may have called such a field. */
const CREDENTIALS = /auth|passw|cookie|token|secret|api-?key/i;
/** What they say that is no secret: RFC 7616 §3.3 and §3.4, TS 24.229 §7.2A.1. */
export const HARMLESS_PARAMETERS: ReadonlySet<string> = new Set([
  "username",
  "username*",
  "userhash",
  "realm",
  "uri",
  "domain",
  "algorithm",
  "qop",
  "nc",
  "stale",
  "charset",
  "integrity-protected",
]);
/** Bodies that are shown; messages of users, and messages within messages, are not. */
const SHOWN_BODIES: ReadonlySet<string> = new Set([
  "application/sdp",
  "application/reginfo+xml",
  "application/vnd.3gpp.ims+xml",
]);
const LONGEST_VALUE = 300;

export interface RedactOptions {
  /** Leave nonces as they are; else a short digest stands for each, so that two can still be told to be one. */
  readonly nonces: "kept" | "digested";
}

/**
 * A SIP message without what must stay secret: passwords' proofs, keys, what RFC 4568 and RFC 8839 write into SDP, passwords in
 * URIs, and what users write to each other. What cannot be read is hidden rather than shown. Linear in the length; may be
 * applied to its own result.
 */
export function redactSip(text: string, options: RedactOptions): string {
  const end = endOfHead(text);
  const lines = unfolded(text.slice(0, end.head));
  let type = "";
  let encoded = false;
  const head = lines.map((line, index) => {
    const colon = line.indexOf(":");
    // A line that is none may be anything.
    if (colon < 0 && index > 0 && line.trim() !== "") return HIDDEN;
    if (index === 0 || colon < 0) return withoutUriPasswords(line);
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    const lower = name.toLowerCase();
    if (lower === "content-type" || lower === "c") type = mediaTypeOf(value);
    if (lower === "content-encoding" || lower === "e") encoded ||= value.toLowerCase() !== "identity";
    if (CREDENTIALS.test(name)) return `${name}: ${redactCredentials(value, options)}`;
    return withoutUriPasswords(line);
  });
  const body = text.slice(end.body);
  if (body === "") return `${head.join("\r\n")}${text.slice(end.head, end.body)}`;
  return `${head.join("\r\n")}\r\n\r\n${redactBody(body, encoded ? "encoded" : type)}`;
}

/** Is there nothing in a body that would have to go? */
export function isHarmlessBody(body: string, contentType: string | undefined): boolean {
  if (contentType === undefined || !SHOWN_BODIES.has(mediaTypeOf(contentType))) return false;
  return !SDP_SECRETS.test(body);
}

function endOfHead(text: string): { readonly head: number; readonly body: number } {
  // Keep-alives of RFC 5626 may stand before a message.
  let at = 0;
  while (text.charCodeAt(at) === 13 || text.charCodeAt(at) === 10) at++;
  const found = /\r?\n\r?\n/.exec(text.slice(at));
  if (found === null) return { head: text.length, body: text.length };
  const head = at + found.index;
  return { head, body: head + found[0].length };
}

/** Lines of a head, continuations joined (RFC 3261 §7.3.1). A bare CR or LF is taken for an end of line: some reader may. */
function unfolded(head: string): string[] {
  const lines: string[] = [];
  for (const line of head.split(/\r\n|\r|\n/)) {
    if (/^[ \t]/.test(line) && lines.length > 0) lines.push(`${lines.pop() ?? ""} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}

function mediaTypeOf(value: string): string {
  return (value.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** Credentials or a challenge: the scheme, what is known to be harmless, and the names of the rest. */
export function redactCredentials(value: string, { nonces }: RedactOptions): string {
  const text = value.replace(/[\r\n]+/g, " ");
  const [, scheme, rest = ""] = /^\s*([A-Za-z0-9-]+)\s+(.*)$/.exec(text) ?? [];
  // Authentication-Info has parameters only.
  const bare = /^\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*=/.test(text);
  if (!bare && scheme?.toLowerCase() !== "digest")
    return scheme === undefined ? HIDDEN : `${scheme} ${HIDDEN}`;
  const parameter = /\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"=]*)\s*(?:,|$)/y;
  const source = bare ? text : rest;
  const shown: string[] = [];
  while (parameter.lastIndex < source.length) {
    const at = parameter.lastIndex;
    const found = parameter.exec(source);
    if (found === null) {
      if (source.slice(at).trim() !== "") shown.push(HIDDEN);
      break;
    }
    const [, name = "", said = ""] = found;
    shown.push(`${name}=${redactParameter(name.toLowerCase(), said, nonces)}`);
  }
  return `${bare ? "" : `${scheme} `}${shown.join(", ")}`;
}

function redactParameter(name: string, value: string, nonces: RedactOptions["nonces"]): string {
  if (HARMLESS_PARAMETERS.has(name)) return withoutUriPasswords(value.slice(0, LONGEST_VALUE));
  // TS 24.229 §5.1.1.5.3: that there is no response says something, and is no secret.
  if (value === '""') return value;
  if (name !== "nonce") return `"${HIDDEN}"`;
  if (nonces === "kept") return value;
  const plain = value.replace(/^"|"$/g, "");
  if (/^#[0-9a-f]{8}$/.test(plain)) return value;
  return `"#${createHash("sha256").update(plain, "latin1").digest("hex").slice(0, 8)}"`;
}

/** `sip:user:password@host` (RFC 3261 §19.1.1), and credentials among the headers of a URI. */
function withoutUriPasswords(line: string): string {
  const clean = line.includes("@") ? withoutUserinfoPasswords(line) : line;
  return clean.includes("?") || clean.includes("&") ? clean.replace(URI_CREDENTIALS, `$1${HIDDEN}`) : clean;
}

const URI_CREDENTIALS = /([?&](?:proxy-)?(?:authorization|www-authenticate|body)=)(?:<hidden>|[^&>\s]*)/gi;

function withoutUserinfoPasswords(line: string): string {
  let shown = "";
  let from = 0;
  for (;;) {
    const at = line.indexOf("@", from);
    if (at < 0) return shown + line.slice(from);
    const piece = line.slice(from, at);
    const scheme = lastScheme(piece);
    const colon = scheme < 0 ? -1 : piece.indexOf(":", scheme);
    const delimited = colon >= 0 && /[\s<>"]/.test(piece.slice(scheme));
    shown += colon < 0 || delimited ? piece : `${piece.slice(0, colon)}:${HIDDEN}`;
    shown += "@";
    from = at + 1;
  }
}

/** Where the last SIP URI of a piece goes on after its scheme; -1: there is none. */
function lastScheme(piece: string): number {
  const lower = piece.toLowerCase();
  const sip = lower.lastIndexOf("sip:");
  const sips = lower.lastIndexOf("sips:");
  if (sip < 0 && sips < 0) return -1;
  return Math.max(sip < 0 ? -1 : sip + 4, sips < 0 ? -1 : sips + 5);
}

function redactBody(body: string, type: string): string {
  if (/^\[[0-9]+ octets of [^\]\r\n]*\]$/.test(body)) return body;
  if (!SHOWN_BODIES.has(type)) return `[${body.length} octets of ${type === "" ? "an unknown type" : type}]`;
  if (type !== "application/sdp") return body;
  return body
    .split(/(\r\n|\r|\n)/)
    .map(redactSdpLine)
    .join("");
}

/** RFC 4568 §9.1 (crypto), RFC 8839 §5.4 (ice-pwd), RFC 4567 (key-mgmt), RFC 4566 §5.12 (k=). */
const SDP_SECRETS = /^[ \t]*(?:k[ \t]*=|a[ \t]*=[ \t]*(?:crypto|ice-pwd|key-mgmt))/im;

function redactSdpLine(line: string): string {
  const [secret] = SDP_SECRETS.exec(line) ?? [];
  if (secret === undefined) return line;
  const [suite] = /^a=crypto:[0-9]+ [A-Z0-9_]+ /.exec(line) ?? [];
  return `${suite ?? secret.trimEnd() + (secret.endsWith("=") ? "" : ":")}${HIDDEN}`;
}
