import { randomBytes } from "node:crypto";
import { endOfValue } from "../message/values.ts";
import type { Flow } from "../transport/transport.ts";
import type { RequestHead } from "./request-head.ts";

/** 503 (Service Unavailable) put together from a request's own lines: nothing is parsed, nothing kept (RFC 3261 §8.2.7). */
export class Refusals {
  /**
   * To tag of every refusal of this process. A stateless UAS gives the same one to each retransmission, and the ACK is known by it.
   */
  readonly tag = `ovl-${randomBytes(9).toString("hex")}`;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Is this the ACK for a refusal? There is no transaction that waits for it. */
  isAck(text: string): boolean {
    return text.startsWith("ACK ") && text.includes(this.tag);
  }

  /** `via` edits the value of the top Via; `retryAfter` in seconds, undefined for none. */
  text(
    head: RequestHead,
    flow: Flow,
    options: { readonly retryAfter?: number; readonly via?: (value: string) => string } = {},
  ): string {
    const { retryAfter, via = (value) => value } = options;
    const first = head.via.includes(",") ? endOfValue(head.via, 0, head.via.length) : head.via.length;
    const top = via(withSource(head.via.slice(0, first), flow));
    const wait = retryAfter === undefined ? "" : `Retry-After: ${retryAfter}\r\n`;
    return `SIP/2.0 503 Service Unavailable\r\nVia: ${top}${head.via.slice(first)}\r\n${head.echoed}To: ${head.to};tag=${this.tag}\r\n${wait}Content-Length: 0\r\n\r\n`;
  }

  /** Seconds between `from` and `to`, so that those who were refused together do not come back together. */
  retryAfter(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }
}

/** RFC 3261 §18.2.1, RFC 3581 §4: where the request came from; what the sender claimed about it goes. */
function withSource(value: string, flow: Flow): string {
  const semicolon = value.indexOf(";");
  if (semicolon < 0) return `${value};received=${flow.remoteAddress}`;
  const head = value.slice(0, semicolon);
  let parameters = value.slice(semicolon);
  const plain = parameters.indexOf(";rport");
  const after = plain < 0 ? 0 : parameters.charCodeAt(plain + 6);
  // As nearly everybody writes it.
  if (plain >= 0 && (Number.isNaN(after) || after === 0x3b) && !parameters.includes("eceived"))
    return `${head}${parameters.slice(0, plain)}${parameters.slice(plain + 6)};received=${flow.remoteAddress};rport=${flow.remotePort}`;
  const rport = /;\s*rport\s*(?:=|;|$)/i.test(parameters);
  if (rport || /received/i.test(parameters))
    parameters = parameters.replace(/;\s*(?:received|rport)\s*(?:=[^;]*)?(?=;|$)/gi, "");
  const sentBy = head.slice(head.lastIndexOf(" ") + 1);
  const { remoteAddress, remotePort } = flow;
  const same =
    sentBy === remoteAddress ||
    sentBy.startsWith(`${remoteAddress}:`) ||
    sentBy.startsWith(`[${remoteAddress}]`);
  if (rport) return `${head}${parameters};received=${remoteAddress};rport=${remotePort}`;
  return same ? `${head}${parameters}` : `${head}${parameters};received=${remoteAddress}`;
}
