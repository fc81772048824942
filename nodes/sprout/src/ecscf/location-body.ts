import { decodeUtf8 } from "@ims/ims";
import type { SipMessage } from "@ims/sip";

const PIDF = "application/pidf+xml";
const MAX_PARTS = 16;
const MAX_DEPTH = 3;
const MAX_PART_HEADERS = 2_048;
/** A PIDF-LO document has some hundred octets; one of a polygon some thousand. */
const MAX_DOCUMENT = 65_536;

interface Part {
  readonly type: string;
  /** Without < >; "" when it has none. */
  readonly contentId: string;
  readonly body: string;
}

/** The PIDF-LO document in the body: the one that Geolocation names by cid (RFC 6442 §3.1), else the first. Undefined: there is none that can be read. */
export function locationBody(request: SipMessage): string | undefined {
  const parts: Part[] = [];
  const whole = { type: request.header("Content-Type") ?? "", contentId: "", body: request.body };
  collect(whole, parts, 0);
  const named = request.values("Geolocation").slice(0, MAX_PARTS).map(contentIdIn);
  const found = parts.find(({ contentId }) => contentId !== "" && named.includes(contentId)) ?? parts[0];
  if (found === undefined || found.body.length > MAX_DOCUMENT) return undefined;
  return decodeUtf8(Buffer.from(found.body, "latin1"));
}

/** Neither part of the pattern can begin where the one before it goes on: a long value costs its length. */
function contentIdIn(geolocation: string): string | undefined {
  return /<\s*cid:([^<>\s]+)\s*>/i.exec(geolocation)?.[1];
}

/** RFC 2046 §5.1, RFC 5621: bodies in bodies, as many and as deep as a UE has reason for. */
function collect(part: Part, found: Part[], depth: number): void {
  const type = (part.type.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (type === PIDF) return void found.push(part);
  if (!type.startsWith("multipart/") || depth === MAX_DEPTH) return;
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^;\s"]{1,70}))/i.exec(part.type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return;
  const mark = `\r\n--${boundary}`;
  const text = `\r\n${part.body}`;
  let at = text.indexOf(mark);
  for (let count = 0; at >= 0 && count < MAX_PARTS; count++) {
    const start = at + mark.length;
    if (text.startsWith("--", start)) return;
    const end = text.indexOf(mark, start);
    if (end < 0) return;
    const inner = partIn(text.slice(start, end));
    if (inner !== undefined) collect(inner, found, depth + 1);
    at = end;
  }
}

function partIn(text: string): Part | undefined {
  const end = text.slice(0, MAX_PART_HEADERS).indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const headers = text.slice(0, end).replace(/\r\n[ \t]+/g, " ");
  const field = (name: string): string =>
    new RegExp(`\\r\\n${name}[ \\t]*:([^\\r\\n]*)`, "i").exec(headers)?.[1] ?? "";
  return {
    type: field("Content-Type").trim(),
    contentId: field("Content-ID").trim().replace(/^<|>$/g, ""),
    body: text.slice(end + 4),
  };
}
