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
/** The header table while it grows; a message gets a copy of the right length. */
const scratch: number[] = new Array(MAX_HEADER_LINES * 4).fill(0);
const CR = 0x0d;
const LF = 0x0a;
const SIP_2 = "SIP/2.0";

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

  let rows = 0;
  let fault: ParseFault | undefined;
  let lines = 0;
  let folded = false;
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
      if (rows === 0) fault ??= "header-line";
      else scratch[rows - 1] = end;
      folded = true;
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
      else {
        scratch[rows++] = id;
        scratch[rows++] = at;
        scratch[rows++] = colon + 1;
        scratch[rows++] = end;
      }
    }
    at = end + 2;
  }
  if (bodyStart < 0) {
    fault ??= "no-end-of-headers";
    bodyStart = text.length;
  }

  const startLine = readStartLine(text, start, lineEnd);
  const message = new SipMessage(
    text,
    bodyStart,
    scratch.slice(0, rows),
    [],
    undefined,
    startLine.method,
    startLine.requestUri,
    startLine.status,
    startLine.reason,
    folded,
  );
  fault = startLine.fault ?? fault ?? settleBody(message, text.length - bodyStart);
  if (fault !== undefined)
    return { kind: "invalid", fault, message: startLine.readable ? message : undefined };
  return { kind: "message", message };
}

interface StartLine {
  readonly method: string;
  readonly requestUri: string;
  readonly status: number;
  readonly reason: string;
  readonly fault: ParseFault | undefined;
  readonly readable: boolean;
}

const UNREADABLE: StartLine = {
  method: "",
  requestUri: "",
  status: 0,
  reason: "",
  fault: "start-line",
  readable: false,
};

function readStartLine(text: string, start: number, end: number): StartLine {
  const firstSpace = text.indexOf(" ", start);
  if (firstSpace < 0 || firstSpace >= end) return UNREADABLE;
  const first = text.slice(start, firstSpace);
  return first.length === 7 && first.toUpperCase().startsWith("SIP/")
    ? readStatusLine(text, first, firstSpace, end)
    : readRequestLine(text, first, firstSpace, end);
}

function readStatusLine(text: string, version: string, firstSpace: number, end: number): StartLine {
  const status = decimal(text.slice(firstSpace + 1, firstSpace + 4), 3);
  const after = firstSpace + 4;
  if (
    status === undefined ||
    status < 100 ||
    status > 699 ||
    (after < end && text.charCodeAt(after) !== 0x20)
  )
    return UNREADABLE;
  return {
    method: "",
    requestUri: "",
    status,
    reason: text.slice(after + 1, end),
    fault: version === SIP_2 || version.toUpperCase() === SIP_2 ? undefined : "version",
    readable: true,
  };
}

function readRequestLine(text: string, method: string, firstSpace: number, end: number): StartLine {
  if (!isToken(method)) return UNREADABLE;
  const lastSpace = text.lastIndexOf(" ", end - 1);
  const requestUri = text.slice(firstSpace + 1, lastSpace);
  const version = text.slice(lastSpace + 1, end);
  return {
    method,
    requestUri,
    status: 0,
    reason: "",
    fault: lastSpace <= firstSpace ? "start-line" : faultOfRequestLine(requestUri, version),
    readable: true,
  };
}

function faultOfRequestLine(requestUri: string, version: string): ParseFault | undefined {
  if (version !== SIP_2) {
    if (!/^SIP\/[0-9]+\.[0-9]+$/i.test(version)) return "start-line";
    if (version.toUpperCase() !== SIP_2) return "version";
  }
  return requestUri === "" || !isUriText(requestUri) ? "start-line" : undefined;
}

/** Neither white space (of latin1) nor what delimits a URI. */
function isUriText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3c || code === 0x3e || code === 0x22) return false;
    if ((code >= 0x09 && code <= 0x0d) || code === 0x20 || code === 0xa0) return false;
  }
  return true;
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
