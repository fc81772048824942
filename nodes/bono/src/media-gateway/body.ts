import type { SipMessage } from "@ims/sip";

/** A session description in the body of a message: all of it, or one of its parts. */
export interface DescriptionInBody {
  readonly sdp: string;
  /** Where it stands in the body. */
  readonly start: number;
  readonly end: number;
  /** Where the digits of its part's own Content-Length stand, if it has one. */
  readonly length: readonly [start: number, end: number] | undefined;
}

const SDP = /^application\/sdp\s*(?:;|$)/i;
const MULTIPART = /^multipart\//i;
/** RFC 2046 §5.1.1: no longer than 70 characters. */
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;
/** A part of a body has few header fields. */
const MAX_PART_HEAD = 4_096;

/** Does the body say that it is in a form that cannot be read here? */
export function isEncoded(message: SipMessage): boolean {
  return !/^(?:identity)?$/i.test(message.header("Content-Encoding") ?? "");
}

/** The session description of a message; of several parts the first that is one (RFC 5621 §3.1). Undefined: it has none. */
export function descriptionIn(message: SipMessage): DescriptionInBody | undefined {
  const type = message.header("Content-Type");
  if (type === undefined || isEncoded(message)) return undefined;
  if (SDP.test(type)) {
    const { body } = message;
    return body === "" ? undefined : { sdp: body, start: 0, end: body.length, length: undefined };
  }
  if (!MULTIPART.test(type)) return undefined;
  const [, quoted, plain] = BOUNDARY.exec(type) ?? [];
  const boundary = quoted ?? plain;
  return boundary === undefined ? undefined : descriptionPart(message.body, `--${boundary}`);
}

/** Puts another one in its place; Content-Length agrees, and so does that of the part. */
export function replaceDescription(
  message: SipMessage,
  { start, end, length }: DescriptionInBody,
  sdp: string,
): void {
  const { body } = message;
  const before =
    length === undefined
      ? body.slice(0, start)
      : body.slice(0, length[0]) + String(sdp.length) + body.slice(length[1], start);
  message.setBody(before + sdp + body.slice(end));
}

function descriptionPart(body: string, delimiter: string): DescriptionInBody | undefined {
  let at = body.startsWith(delimiter) ? 0 : after(body, `\r\n${delimiter}`, 0) - delimiter.length;
  while (at >= 0) {
    const line = at + delimiter.length;
    // The last delimiter has two more dashes.
    if (body.startsWith("--", line)) return undefined;
    const next = body.indexOf(`\r\n${delimiter}`, line);
    if (next < 0) return undefined;
    const headStart = after(body, "\r\n", line);
    const headEnd = body.indexOf("\r\n\r\n", line);
    if (headEnd >= 0 && headEnd < next && headEnd - line < MAX_PART_HEAD) {
      const found = readPart(body, headStart, headEnd, next);
      if (found !== undefined) return found;
    }
    at = next + 2;
  }
  return undefined;
}

function readPart(
  body: string,
  headStart: number,
  headEnd: number,
  end: number,
): DescriptionInBody | undefined {
  const start = headEnd + 4;
  let isSdp = false;
  let length: readonly [number, number] | undefined;
  let at = headStart;
  for (const line of body.slice(headStart, headEnd).split("\r\n")) {
    const [, name = "", value = ""] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "content-type":
      case "c":
        isSdp = SDP.test(value);
        break;
      case "content-length":
      case "l": {
        const digits = at + line.length - value.length;
        length = [digits, digits + value.length];
        break;
      }
      case "content-disposition":
        // RFC 3959: early sessions are another session.
        if (!/^session\b/i.test(value)) return undefined;
        break;
      case "content-encoding":
      case "content-transfer-encoding":
        if (!/^(?:identity|binary|8bit|7bit)\s*$/i.test(value)) return undefined;
        break;
    }
    at += line.length + 2;
  }
  return isSdp && start <= end ? { sdp: body.slice(start, end), start, end, length } : undefined;
}

/** Behind the first occurrence; -1 when there is none. */
function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? -1 : at + what.length;
}
