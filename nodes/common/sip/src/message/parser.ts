import { headerIdAt } from "./header-names.ts";
import { SipMessage } from "./message.ts";
import { decimal, isToken } from "./values.ts";

/** Why a text is no SIP message. `message` is there when enough was readable to answer 4xx/505. */
export type ParseFault =
  | "start-line"
  | "version"
  | "header-line"
  | "line-ending"
  | "no-end-of-headers"
  | "content-length"
  | "too-many-headers";

export type ParseResult =
  | { readonly kind: "message"; readonly message: SipMessage }
  | { readonly kind: "invalid"; readonly fault: ParseFault; readonly message: SipMessage | undefined };

/** More lines than any real message; keeps the table small whatever is sent. */
const MAX_HEADER_LINES = 256;
const CR = 0x0d;
const LF = 0x0a;

/**
 * One pass over a whole message (latin1 text; framing is done: RFC 3261 §18.3). Never throws, linear in the length.
 * Only what makes a message unreadable is judged here; validate.ts judges the values a proxy needs.
 */
export function parseMessage(text: string): ParseResult {
  let start = 0;
  while (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) start += 2;
  const lineEnd = text.indexOf("\n", start) - 1;
  if (lineEnd < start || text.charCodeAt(lineEnd) !== CR)
    return { kind: "invalid", fault: "start-line", message: undefined };

  const table: number[] = [];
  let fault: ParseFault | undefined;
  let lines = 0;
  let at = lineEnd + 2;
  let bodyStart = -1;
  // Next CR at or after `at`, or the length: remembered, or many lines without one would each search the whole text.
  let cr = lineEnd;
  while (at < text.length) {
    if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) {
      bodyStart = at + 2;
      break;
    }
    const end = text.indexOf("\n", at) - 1;
    if (end < at) break;
    // A bare CR or LF could mean a line to the next element that means none to us.
    if (cr < at) cr = text.indexOf("\r", at);
    if (cr < 0) cr = text.length;
    if (cr !== end) {
      fault ??= "line-ending";
      at = end + 2;
      continue;
    }
    const first = text.charCodeAt(at);
    if (first === 0x20 || first === 0x09) {
      if (table.length === 0) fault ??= "header-line";
      else table[table.length - 1] = end;
      at = end + 2;
      continue;
    }
    if (++lines > MAX_HEADER_LINES) return { kind: "invalid", fault: "too-many-headers", message: undefined };
    const colon = text.indexOf(":", at);
    let nameEnd = colon;
    if (colon < 0 || colon > end) fault ??= "header-line";
    else {
      while (nameEnd > at && (text.charCodeAt(nameEnd - 1) === 0x20 || text.charCodeAt(nameEnd - 1) === 0x09))
        nameEnd--;
      const id = headerIdAt(text, at, nameEnd);
      if (id === 0 && !isToken(text.slice(at, nameEnd))) fault ??= "header-line";
      else table.push(id, at, colon + 1, end);
    }
    at = end + 2;
  }
  if (bodyStart < 0) {
    fault ??= "no-end-of-headers";
    bodyStart = text.length;
  }

  const startLine = readStartLine(text, start, lineEnd);
  const message = new SipMessage({ text, bodyStart, table, ...startLine });
  fault = startLine.fault ?? fault ?? settleBody(message, text.length - bodyStart);
  if (fault !== undefined)
    return { kind: "invalid", fault, message: startLine.readable ? message : undefined };
  return { kind: "message", message };
}

interface StartLine {
  method: string;
  requestUri: string;
  status: number;
  reason: string;
  fault: ParseFault | undefined;
  readable: boolean;
}

function readStartLine(text: string, start: number, end: number): StartLine {
  const line: StartLine = {
    method: "",
    requestUri: "",
    status: 0,
    reason: "",
    fault: undefined,
    readable: true,
  };
  const firstSpace = text.indexOf(" ", start);
  if (firstSpace < 0 || firstSpace >= end) return { ...line, fault: "start-line", readable: false };
  const first = text.slice(start, firstSpace);
  if (first.length === 7 && first.toUpperCase().startsWith("SIP/")) {
    const status = decimal(text.slice(firstSpace + 1, firstSpace + 4), 3);
    const after = firstSpace + 4;
    if (
      status === undefined ||
      status < 100 ||
      status > 699 ||
      (after < end && text.charCodeAt(after) !== 0x20)
    )
      return { ...line, fault: "start-line", readable: false };
    line.status = status;
    line.reason = text.slice(after + 1, end);
    if (first.toUpperCase() !== "SIP/2.0") line.fault = "version";
    return line;
  }
  if (!isToken(first)) return { ...line, fault: "start-line", readable: false };
  line.method = first;
  const lastSpace = text.lastIndexOf(" ", end - 1);
  line.requestUri = text.slice(firstSpace + 1, lastSpace);
  const version = text.slice(lastSpace + 1, end);
  if (lastSpace <= firstSpace || !/^SIP\/[0-9]+\.[0-9]+$/i.test(version)) line.fault = "start-line";
  else if (version.toUpperCase() !== "SIP/2.0") line.fault = "version";
  else if (line.requestUri === "" || /[\s<>"]/.test(line.requestUri)) line.fault = "start-line";
  return line;
}

/** RFC 3261 §18.3: Content-Length beyond the datagram is an error, what is beyond Content-Length is ignored. */
function settleBody(message: SipMessage, available: number): ParseFault | undefined {
  const stated = message.header("Content-Length");
  if (stated === undefined) return undefined;
  const length = decimal(stated);
  if (length === undefined || length > available) return "content-length";
  if (message.count("Content-Length") > 1) {
    for (const other of message.values("Content-Length"))
      if (decimal(other) !== length) return "content-length";
  }
  if (length < available) message.truncateBody(length);
  return undefined;
}
