import type { TrailGlance } from "./trail-step.ts";

/** What the messages kept say of one Call-ID: a UE's registrations, or a call. Times are ms since the epoch. */
export interface RecentExchange {
  readonly callId: string;
  readonly icid?: string | undefined;
  readonly method: "REGISTER" | "INVITE";
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The initial INVITE, or the last REGISTER; undefined: it is not kept any more. */
  readonly began?: number | undefined;
  /** Of the last REGISTER: it takes a registration back. */
  readonly ends?: boolean | undefined;
  /** Final answer: 2xx to an INVITE counts before any other. */
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  /** Of that answer. */
  readonly finalAt?: number | undefined;
  /** BYE. */
  readonly endedAt?: number | undefined;
  /** The last message of those that were looked at. */
  readonly last: number;
}

export interface RecentAnswer {
  readonly exchanges: readonly RecentExchange[];
  /** What to ask for the next time, as `after`. */
  readonly next: number;
  /** Messages since `after` were not looked at, or are gone. */
  readonly truncated: boolean;
  /** Of the oldest step that was looked at, ms since the epoch; undefined: of none. */
  readonly since: number | undefined;
}

/** Puts messages together that come in any order. */
export class RecentExchanges {
  readonly #byCall = new Map<string, RecentExchange>();

  add(glance: TrailGlance, time: number): void {
    const known = this.#byCall.get(glance.callId);
    const method = methodOf(glance, known);
    if (method === undefined) return;
    const before: RecentExchange = known ?? { callId: glance.callId, method, last: time };
    const after = { ...before, method, last: Math.max(before.last, time) };
    this.#byCall.set(glance.callId, {
      ...after,
      icid: before.icid ?? glance.icid,
      ...(glance.request ? requested(before, method, glance, time) : answered(before, method, glance, time)),
    });
  }

  /** Those that have more than an end, the latest first. */
  list(most: number): readonly RecentExchange[] {
    return [...this.#byCall.values()].sort((a, b) => b.last - a.last).slice(0, most);
  }

  get size(): number {
    return this.#byCall.size;
  }
}

/** The same Call-ID of two nodes, or of two looks at one. */
export function mergedExchange(a: RecentExchange, b: RecentExchange): RecentExchange {
  const registers = a.method === "REGISTER" && b.method === "REGISTER";
  // A BYE alone is taken for a call; a REGISTER never has the Call-ID of one.
  const [older, newer] = a.last <= b.last ? [a, b] : [b, a];
  const began = registers ? latest(a.began, b.began) : earliest(a.began, b.began);
  const answer = betterAnswer(older, newer, a.method);
  return {
    callId: a.callId,
    icid: a.icid ?? b.icid,
    method: a.method,
    from: newer.from ?? older.from,
    to: newer.to ?? older.to,
    began,
    ends: newer.ends ?? older.ends,
    ...answer,
    endedAt: earliest(a.endedAt, b.endedAt),
    last: Math.max(a.last, b.last),
  };
}

type Answer = Pick<RecentExchange, "status" | "reason" | "finalAt">;

function methodOf(
  { method }: TrailGlance,
  known: RecentExchange | undefined,
): RecentExchange["method"] | undefined {
  if (known !== undefined) return known.method;
  return method === "REGISTER" ? "REGISTER" : method === "INVITE" || method === "BYE" ? "INVITE" : undefined;
}

function requested(
  before: RecentExchange,
  method: RecentExchange["method"],
  glance: TrailGlance,
  time: number,
): Partial<RecentExchange> {
  const { from, to, inDialog } = glance;
  if (glance.method === "BYE") return { endedAt: earliest(before.endedAt, time) };
  if (method === "REGISTER") {
    // A REGISTER is seen at several nodes: what is said of the last one counts.
    if (before.began !== undefined && before.began > time) return {};
    return { from, to, began: time, ends: glance.ends === true };
  }
  // In a dialog From may be the callee.
  if (inDialog) return {};
  return { from: before.from ?? from, to: before.to ?? to, began: earliest(before.began, time) };
}

function answered(
  before: RecentExchange,
  method: RecentExchange["method"],
  { method: of, status, reason }: TrailGlance,
  time: number,
): Answer {
  const { status: known, reason: said, finalAt } = before;
  const kept = { status: known, reason: said, finalAt };
  if (of !== method || status === undefined) return kept;
  const after = { callId: "", method, last: time, status, reason, finalAt: time };
  const [older, newer] = finalAt === undefined || finalAt <= time ? [kept, after] : [after, kept];
  return betterAnswer(older, newer, method);
}

/** Of a call the first 2xx, else what came last; of registrations what came last. */
function betterAnswer(older: Answer, newer: Answer, method: RecentExchange["method"]): Answer {
  const good = [older, newer].filter(({ status }) => isGood(status));
  const chosen =
    method === "INVITE" && good.length > 0
      ? good.reduce((a, b) => ((a.finalAt ?? 0) <= (b.finalAt ?? 0) ? a : b))
      : [older, newer].reduce((a, b) => ((b.finalAt ?? -1) >= (a.finalAt ?? -1) ? b : a));
  return { status: chosen.status, reason: chosen.reason, finalAt: chosen.finalAt };
}

function isGood(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
