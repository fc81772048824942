import type { RecentPage, RecentRow } from "@ims/api";
import { type Clock, mergedExchange, type RecentExchange } from "@ims/runtime";
import { z } from "zod";
import type { CoreNode } from "./core-nodes.ts";
import type { CoreWatch } from "./core-watch.ts";
import type { NodeClient } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";

const GOOD_MS = 2_000;
const COUNTS_GOOD_MS = 5_000;
/** Call-IDs that are remembered. */
const MOST = 2_000;
const PAGE = 50;
/** Without an answer for so long: nobody rings any more (timer C of RFC 3261 §16.8). */
const LONGEST_SETUP_MS = 180_000;
/** Messages of UEs pass these. */
const SEEING: ReadonlySet<string> = new Set(["bono", "sprout"]);

const text = z.string().max(2_000).optional();
/** Of a Date. */
const ms = z.number().min(0).max(8.64e15);
const answer = z.object({
  pid: z.number(),
  next: z.number(),
  truncated: z.boolean(),
  since: ms.optional(),
  exchanges: z
    .array(
      z.object({
        callId: z.string().max(2_000),
        icid: text,
        method: z.enum(["REGISTER", "INVITE"]),
        from: text,
        to: text,
        began: ms.optional(),
        ends: z.boolean().optional(),
        status: z.number().optional(),
        reason: text,
        finalAt: ms.optional(),
        endedAt: ms.optional(),
        last: ms,
      }),
    )
    .max(1_000),
});

interface Asked {
  readonly pid: number;
  readonly next: number;
  readonly since: number | undefined;
}

export interface RecentModules {
  readonly watch: CoreWatch;
  readonly client: NodeClient;
  readonly shared: SharedAnswers;
  readonly clock: Clock;
}

export interface RecentAsked {
  readonly kind: "all" | "calls" | "registrations" | "in-progress";
  readonly search?: string | undefined;
  readonly page: number;
}

/**
 * The last registrations and calls, of the messages that nodes keep: only what is new is asked for, by one question for all who watch. What a
 * call is in is what its messages say: one whose BYE never came goes on.
 */
export class Recent {
  readonly #modules: RecentModules;
  readonly #asked = new Map<string, Asked>();
  readonly #byCall = new Map<string, RecentExchange>();

  constructor(modules: RecentModules) {
    this.#modules = modules;
  }

  async page({ kind, search = "", page }: RecentAsked): Promise<RecentPage> {
    const { shared, clock } = this.#modules;
    const [{ rows, since, problems }, counts] = await Promise.all([
      shared.get("recent", GOOD_MS, () => this.#refresh()),
      shared.get("counts", COUNTS_GOOD_MS, () => this.#counts()),
    ]);
    const wanted = search.trim().toLowerCase();
    const found = rows.filter((row) => isOf(kind, row) && (wanted === "" || mentions(row, wanted)));
    return {
      time: isoTime(clock.now()),
      exchanges: found.slice((page - 1) * PAGE, page * PAGE),
      total: found.length,
      pages: Math.max(1, Math.ceil(found.length / PAGE)),
      ...(since === undefined ? {} : { since: isoTime(since) }),
      counts,
      problems: [...problems],
    };
  }

  async #refresh(): Promise<{
    readonly rows: readonly RecentRow[];
    readonly since: number | undefined;
    readonly problems: readonly string[];
  }> {
    const { watch, clock } = this.#modules;
    const { nodes, problems: away } = watch.reachable();
    const problems = [...away];
    const asked = nodes.filter(({ kind }) => SEEING.has(kind));
    const told = await Promise.all(asked.map((node) => this.#ask(node, problems)));
    // Some of what was in between was not looked at: an end may be missed. Only the newest counts, and of the others all is asked again.
    const gap = told.some((one) => one?.gap === true);
    if (gap) {
      this.#byCall.clear();
      this.#asked.clear();
    }
    for (const one of told) {
      if (one === undefined) continue;
      if (one.asked !== undefined && (one.gap || !gap)) this.#asked.set(one.url, one.asked);
      for (const exchange of one.exchanges) {
        const known = this.#byCall.get(exchange.callId);
        this.#byCall.set(exchange.callId, known === undefined ? exchange : mergedExchange(known, exchange));
      }
    }
    this.#forget();
    const sinces = [...this.#asked.values()].flatMap(({ since }) => since ?? []);
    const since = sinces.length === 0 ? undefined : Math.min(...sinces);
    return { rows: rowsOf([...this.#byCall.values()], clock.now()), since, problems };
  }

  async #ask(
    node: CoreNode,
    problems: string[],
  ): Promise<
    | {
        readonly url: string;
        /** Undefined: it was started again, and is asked for everything. */
        readonly asked: Asked | undefined;
        readonly gap: boolean;
        readonly exchanges: readonly RecentExchange[];
      }
    | undefined
  > {
    const { client, watch } = this.#modules;
    const before = this.#asked.get(node.url);
    const said = await client.json(node.url, `/trail/recent?after=${before?.next ?? 0}&limit=500`);
    const read = answer.safeParse(said.kind === "json" ? said.json : undefined);
    if (said.kind === "none" && said.status === 0) watch.told(node, false);
    if (!read.success) {
      problems.push(`${node.name}: ${said.kind === "none" ? said.problem : "its answer cannot be read"}`);
      return undefined;
    }
    const { pid, next, since, truncated, exchanges } = read.data;
    const restarted = before !== undefined && before.pid !== pid;
    return {
      url: node.url,
      asked: restarted
        ? undefined
        : { pid, next, since: before === undefined || truncated ? since : (before.since ?? since) },
      gap: restarted || (before !== undefined && truncated),
      exchanges,
    };
  }

  #forget(): void {
    if (this.#byCall.size <= MOST) return;
    const latest = [...this.#byCall.values()].sort((a, b) => b.last - a.last).slice(0, MOST);
    this.#byCall.clear();
    for (const one of latest) this.#byCall.set(one.callId, one);
  }

  /** What the P-CSCFs count themselves. */
  async #counts(): Promise<RecentPage["counts"]> {
    const { client, watch } = this.#modules;
    const bonos = watch.reachable().nodes.filter(({ kind }) => kind === "bono");
    const texts = await Promise.all(bonos.map(({ url }) => client.get(url, "/metrics")));
    const sum = (name: string): number | undefined => {
      const values = texts.flatMap((reply) =>
        reply.kind === "answer" && reply.status === 200 ? (gaugeIn(reply.text, name) ?? []) : [],
      );
      return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0);
    };
    const [calls, registrations, flows] = [
      sum("ims_bono_calls"),
      sum("ims_bono_registered_sets"),
      sum("ims_bono_registered_flows"),
    ];
    return {
      ...(calls === undefined ? {} : { calls }),
      ...(registrations === undefined ? {} : { registrations }),
      ...(flows === undefined ? {} : { flows }),
    };
  }
}

/** A gauge without labels, or with those that all metrics of a process have. */
function gaugeIn(metrics: string, name: string): number | undefined {
  const at = metrics.search(new RegExp(`^${name}(?:\\{[^}\\n]*\\})? `, "m"));
  if (at < 0) return undefined;
  const end = metrics.indexOf("\n", at);
  const line = metrics.slice(at, end < 0 ? undefined : end);
  const value = Number(line.slice(line.lastIndexOf(" ") + 1));
  return Number.isFinite(value) ? Math.round(value) : undefined;
}

/** One row for each registration, and for each call: legs of one ICID are one. The latest first. */
export function rowsOf(exchanges: readonly RecentExchange[], now: number): RecentRow[] {
  const calls = new Map<string, RecentExchange[]>();
  const rows: RecentRow[] = [];
  for (const one of exchanges) {
    if (one.method === "REGISTER") rows.push(registrationRow(one));
    else {
      const name = one.icid ?? one.callId;
      calls.set(name, [...(calls.get(name) ?? []), one]);
    }
  }
  for (const legs of calls.values()) rows.push(callRow(legs, now));
  return rows.sort((a, b) => (a.last < b.last ? 1 : a.last > b.last ? -1 : 0));
}

function registrationRow(one: RecentExchange): RecentRow {
  const { status, ends } = one;
  const state =
    status === undefined
      ? "unanswered"
      : status < 300
        ? ends === true
          ? "deregistered"
          : "registered"
        : status === 401
          ? "challenged"
          : "failed";
  return { kind: "registration", state, ...commonOf(one, [one]) };
}

function callRow(legs: readonly RecentExchange[], now: number): RecentRow {
  const [first] = [...legs].sort((a, b) => (a.began ?? 0) - (b.began ?? 0));
  if (first === undefined) throw new Error("a call has a leg");
  const endedAt = earliest(legs.flatMap((leg) => leg.endedAt ?? []));
  const { status } = first;
  const good = status !== undefined && status < 300;
  const last = Math.max(...legs.map((leg) => leg.last));
  const state =
    endedAt !== undefined
      ? "ended"
      : good || (status === undefined && first.began === undefined)
        ? "in-progress"
        : status !== undefined
          ? "failed"
          : now - last < LONGEST_SETUP_MS
            ? "setting-up"
            : "unanswered";
  return {
    ...{ kind: "call", state, ...commonOf(first, legs), last: isoTime(last) },
    ...(good && first.began !== undefined && first.finalAt !== undefined
      ? { answeredAt: isoTime(first.finalAt) }
      : {}),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
  };
}

function commonOf(
  one: RecentExchange,
  legs: readonly RecentExchange[],
): Pick<RecentRow, "callIds" | "icid" | "from" | "to" | "began" | "answer" | "last"> {
  const { icid, from = "", to = "", began, status, reason = "", last } = one;
  return {
    callIds: legs.map(({ callId }) => callId),
    ...(icid === undefined ? {} : { icid }),
    ...{ from, to },
    ...(began === undefined ? {} : { began: isoTime(began) }),
    ...(status === undefined ? {} : { answer: `${status} ${reason}`.trim() }),
    last: isoTime(last),
  };
}

function isOf(kind: RecentAsked["kind"], row: RecentRow): boolean {
  if (kind === "calls") return row.kind === "call";
  if (kind === "registrations") return row.kind === "registration";
  return kind === "all" || row.state === "in-progress" || row.state === "setting-up";
}

function mentions({ from, to, callIds, icid = "" }: RecentRow, wanted: string): boolean {
  return [from, to, icid, ...callIds].some((one) => one.toLowerCase().includes(wanted));
}

function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
