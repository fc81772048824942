import type { TrailContent, TrailDirection, TrailEnds } from "../trail-step.ts";
import { type Span, spanIdOf, traceIdOf } from "./span.ts";

export interface SeenMessage {
  readonly content: TrailContent;
  readonly direction: TrailDirection;
  readonly time: number;
  readonly ends: TrailEnds;
}

interface Begun extends Omit<Span, "end" | "failed"> {
  readonly callId: string;
}

/** Transactions without a final answer that are remembered. */
const MAX_OPEN = 20_000;
/** Timer C of RFC 3261 §16.6 and some: nobody answers any more. */
const GIVEN_UP_AFTER_MS = 300_000;

/**
 * Makes spans of requests and their final answers at one node: a request that comes is a span of kind server, one that leaves is of
 * kind client and a child of the last that came in its call.
 */
export class SpanBuilder {
  readonly #open = new Map<string, Begun>();
  /** Span of the last request that came, by Call-ID. */
  readonly #served = new Map<string, string>();

  get open(): number {
    return this.#open.size;
  }

  /** The span that the message ends, if it does. */
  see({ content, direction, time, ends }: SeenMessage): Span | undefined {
    const { request, method, status, message } = content;
    const trace = content.callId ?? content.session;
    if (message === undefined || method === undefined || trace === undefined || direction === "")
      return undefined;
    const transaction = transactionOf(content, trace);
    if (request === true) {
      // An ACK has no answer.
      if (method !== "ACK") this.#begin(content, direction, time, ends, trace, transaction);
      return undefined;
    }
    if (status === undefined || (content.kind === "sip" && status < 200)) return undefined;
    const kind = direction === "out" ? "server" : "client";
    const key = `${kind} ${transaction}`;
    const begun = this.#open.get(key);
    if (begun === undefined) return undefined;
    this.#open.delete(key);
    if (this.#served.get(begun.callId) === begun.spanId) this.#served.delete(begun.callId);
    const { callId: _, ...span } = begun;
    const failed =
      content.kind === "sip" ? status >= 400 && status !== 401 && status !== 407 : status >= 3000;
    return { ...span, end: time, failed, attributes: { ...span.attributes, [statusName(content)]: status } };
  }

  /** Spans of what will not be answered any more. */
  abandoned(now: number): Span[] {
    const gone: Span[] = [];
    for (const [key, { callId, ...span }] of this.#open) {
      // In order of their beginning.
      if (now - span.start < GIVEN_UP_AFTER_MS && this.#open.size <= MAX_OPEN) break;
      this.#open.delete(key);
      if (this.#served.get(callId) === span.spanId) this.#served.delete(callId);
      gone.push({ ...span, end: now, failed: true });
    }
    return gone;
  }

  #begin(
    content: TrailContent,
    direction: TrailDirection,
    time: number,
    ends: TrailEnds,
    trace: string,
    transaction: string,
  ): void {
    const kind = direction === "in" ? "server" : "client";
    const key = `${kind} ${transaction}`;
    // A retransmission.
    if (this.#open.has(key)) return;
    const spanId = spanIdOf(kind, transaction);
    const parentSpanId =
      kind === "server" ? spanIdOf("client", transaction) : (this.#served.get(trace) ?? "");
    const outside = ends.side === "access" || ends.side === "peer";
    this.#open.set(key, {
      ...{ callId: trace, traceId: traceIdOf(trace), spanId, kind, start: time },
      // What sent it tells no spans.
      parentSpanId: kind === "server" && outside ? "" : parentSpanId,
      name: `${content.kind === "sip" ? "SIP" : "Diameter"} ${content.method ?? ""}`,
      attributes: attributesOf(content, ends),
    });
    if (kind === "server") this.#served.set(trace, spanId);
  }
}

/** Of a SIP message its branch and method, of Diameter its Session-Id and End-to-End Identifier. */
function transactionOf({ message = "", kind }: TrailContent, trace: string): string {
  if (kind !== "sip") return message;
  const [, branch = "", cseq = ""] = message.split("|");
  return `${branch}|${cseq}|${trace}`;
}

function statusName({ kind }: TrailContent): string {
  return kind === "sip" ? "sip.status_code" : "diameter.result_code";
}

function attributesOf(
  { kind, callId, icid, session, fields = {} }: TrailContent,
  ends: TrailEnds,
): Record<string, string> {
  const found: Record<string, string> = {
    "network.transport": ends.protocol.toLowerCase(),
    "network.local.address": ends.local,
    "network.peer.address": ends.remote,
  };
  if (ends.side !== undefined) found["tidewater.side"] = ends.side;
  if (callId !== undefined) found["sip.call_id"] = callId;
  if (icid !== undefined) found["ims.icid"] = icid;
  if (session !== undefined) found["diameter.session_id"] = session;
  if (kind === "sip")
    for (const key of ["from", "to"] as const) {
      const value = fields[key];
      if (typeof value === "string") found[`sip.${key}`] = value;
    }
  return found;
}
