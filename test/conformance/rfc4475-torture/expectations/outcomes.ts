import type { EdgeOutcome, Facts, ParserOutcome } from "../../torture.ts";

/** One row of the table: a Torture without its text. `identity` is taken from the facts unless given. */
export interface Row {
  readonly name: string;
  readonly clause: string;
  readonly what: string;
  readonly why: string;
  readonly identity?: readonly string[];
  readonly parser: ParserOutcome;
  readonly udp: EdgeOutcome;
  /** Only where a stream makes a difference. */
  readonly tcp?: EdgeOutcome;
}

export function accepted(facts: Facts): ParserOutcome {
  return { kind: "accepted", facts };
}

export function refused(status: 400 | 505): ParserOutcome {
  return { kind: "refused", status };
}

export const dropped: ParserOutcome = { kind: "dropped" };

export function answered(...statuses: readonly number[]): EdgeOutcome {
  return { kind: "answered", statuses };
}

/** 400, and the stream ends: where the next message begins cannot be known (RFC 3261 §18.3). */
export const refusedAndClosed: EdgeOutcome = { kind: "answered", statuses: [400], closed: true };

/** TS 24.229 §5.2.6.3: the P-CSCF serves requests other than REGISTER from registered UEs only. */
export const notRegistered = answered(403);

/** TS 24.229 §5.3.1.3: no such subscriber, says the HSS, and the I-CSCF answers 403. */
export const noSuchSubscriber = answered(403);

export const silent: EdgeOutcome = { kind: "silent" };
export const incomplete: EdgeOutcome = { kind: "incomplete" };
