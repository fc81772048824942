import { HeaderSet } from "./header-names.ts";
import type { SipMessage } from "./message.ts";
import { parseNameAddr } from "./name-addr.ts";
import type { ParseFault } from "./parser.ts";
import { decimal, isToken } from "./values.ts";
import { parseVia } from "./via.ts";

/** What is wrong with a request, as the final response that says so. */
export interface RequestFault {
  readonly status: 400 | 416 | 483 | 505 | 513;
  readonly reason: string;
}

const SINGLE = new HeaderSet(["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires"]);
const NAME_ADDR_LISTS = ["Contact", "Record-Route", "Path"] as const;
/** More proxies than a request may pass (RFC 3261 §8.1.1.6). They are taken off one by one, each at the cost of all. */
const MAX_ROUTES = 70;

/** The response for a message that parseMessage refused but could read (RFC 3261 §8.2, §21.4.1, §21.5.6). */
export function faultOfUnreadable(fault: ParseFault): RequestFault {
  if (fault === "version") return { status: 505, reason: "Version Not Supported" };
  return { status: 400, reason: `Bad Request (${fault})` };
}

/**
 * RFC 3261 §16.3 step 1, reasonable syntax: the header fields every element relies on. Undefined when all is well.
 * `strict` also reads every name-addr: for what comes from outside the trust domain.
 */
export function validateRequest(request: SipMessage, strict: boolean): RequestFault | undefined {
  const via = request.topVia;
  if (via === undefined || !via.sip20) return bad("Via");
  const from = request.header("From");
  const to = request.header("To");
  if (from === undefined || to === undefined) return bad(from === undefined ? "From" : "To");
  if (request.callId === "") return bad("Call-ID");
  const cseq = request.cseqNumber;
  if (cseq < 0 || cseq > 0x7fffffff || request.cseqMethod !== request.method) return bad("CSeq");
  const maxForwards = request.header("Max-Forwards");
  if (maxForwards !== undefined) {
    const hops = decimal(maxForwards);
    if (hops === undefined || hops > 255) return bad("Max-Forwards");
  }
  return strict ? validateStrictly(request, from, to) : undefined;
}

function validateStrictly(request: SipMessage, from: string, to: string): RequestFault | undefined {
  const twice = request.repeated(SINGLE);
  if (twice !== undefined) return bad(twice);
  // RFC 3261 §19.1.1: no header fields in a Request-URI; a "?" may also stand in its user part.
  if (request.requestUri.includes("?") && (request.target?.headers ?? "") !== "") return bad("Request-URI");
  if (request.count("Via") > 1 || request.header("Via")?.includes(",") === true)
    for (const value of request.values("Via").slice(1)) if (parseVia(value) === undefined) return bad("Via");
  if (!isParty(from)) return bad("From");
  if (!isParty(to)) return bad("To");
  for (const name of NAME_ADDR_LISTS) {
    if (!request.has(name)) continue;
    for (const value of request.values(name))
      if (value !== "*" && parseNameAddr(value) === undefined) return bad(name);
  }
  if (request.routes.length > MAX_ROUTES) return bad("Route");
  for (const route of request.routes) if (!route.isWellFormed()) return bad("Route");
  const expires = request.header("Expires");
  if (expires !== undefined && decimal(expires, 10) === undefined) return bad("Expires");
  const contentType = request.header("Content-Type");
  if (contentType === undefined && request.body !== "" && request.method !== "REGISTER")
    return bad("Content-Type");
  return undefined;
}

/** A From or To value: a name-addr whose parameters are unique and whose tag is a token. */
function isParty(value: string): boolean {
  const address = parseNameAddr(value);
  if (address === undefined || address.parameters.hasDuplicates()) return false;
  const tag = address.parameters.raw("tag");
  return tag === undefined || isToken(tag);
}

function bad(name: string): RequestFault {
  return { status: 400, reason: `Bad Request (${name})` };
}

/** RFC 3261 §8.1.3.3, §17.1.3: can this response be matched to anything? */
export function isUsableResponse(response: SipMessage): boolean {
  const cseq = response.cseqNumber;
  if (cseq < 0 || cseq > 0x7fffffff || response.cseqMethod === "") return false;
  return response.topVia !== undefined && response.callId !== "";
}
