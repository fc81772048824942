import type { Ladders } from "@ims/api";
import { type Exchange, exchangesAmong, type Gathered, type NodeStep, startOf } from "@ims/doctor";
import { TrailKey, type Work } from "@ims/runtime";
import { ladderDocument } from "./ladder-document.ts";

/** Steps that one follows at most: what comes after them is not shown any more. */
const MOST_STEPS = 1_500;
const FULL = `more than ${MOST_STEPS} steps: later ones are not shown; watch fewer registrations and calls, or one of them`;
const MOST_ALIASES = 4;
const MOST_USERS = 4;
const MOST_IDENTIFIERS = 4;
const MOST_SESSIONS = 4;
const MOST_EXCHANGES = 2;
/** The same step, told twice, is so much apart at most, ms: clocks are read anew. */
const SAME_MS = 50;
const MOST_DROPPED = 500;
/** What is asked of the HSS before the first message that is known, and clocks that differ, ms. */
const BEFORE_MS = 500;
/** What belongs to no message yet may get one, ms. */
const EARLY_MS = 5_000;
/** Steps that are looked at in one piece of work. */
const PIECE = 64;

interface Known {
  readonly aliases: readonly TrailKey[];
  readonly users: readonly TrailKey[];
  readonly callIds: ReadonlySet<string>;
  readonly icids: ReadonlySet<string>;
  readonly sessions: ReadonlySet<string>;
  readonly isCall: boolean;
}

/** One subscriber or call that somebody watches: the steps so far, and what to ask for next. Long work is done in pieces. */
export class Following {
  readonly key: string;
  readonly last: number;
  /** By the URL of a node: until when it was asked, by its own clock, and by what. */
  readonly #asked = new Map<string, { readonly until: number; readonly keys: ReadonlySet<string> }>();
  readonly #self: TrailKey;
  readonly #steps = new Map<string, NodeStep>();
  /** Call-IDs of calls that are not shown any more: their ends are no new calls. */
  readonly #dropped = new Set<string>();
  #exchanges: readonly Exchange[] = [];
  #earlier = 0;
  #oldest: number | undefined;
  #problems = "";
  #document = "";
  #keys: readonly string[];

  constructor(key: string, last: number) {
    this.key = key;
    this.last = last;
    this.#self = new TrailKey(key);
    this.#keys = [key];
  }

  /** What `gather` found at first. */
  *begin({ exchanges, earlier, oldest, problems }: Gathered, more: readonly string[]): Work<void> {
    for (const { steps } of exchanges)
      for (const [at, step] of steps.entries()) {
        if (at % PIECE === 0) yield;
        this.#add(step);
      }
    this.#exchanges = exchanges;
    this.#earlier = earlier;
    this.#oldest = oldest;
    yield* this.#name();
    yield* this.#say([...problems, ...more]);
  }

  get document(): string {
    return this.#document;
  }

  /** What nodes are asked by. */
  keys(): readonly string[] {
    return this.#keys;
  }

  /** A node was asked by these keys, and has told what it had until then, ms since the epoch by its clock. */
  asked(url: string, until: number, keys: readonly string[]): void {
    this.#asked.set(url, { until, keys: new Set(keys) });
  }

  /** From when on a node is to be asked; a Call-ID that has come up since is asked for from where its call began. */
  since(url: string, otherwise: number): number {
    const asked = this.#asked.get(url);
    if (asked === undefined) return otherwise;
    const fresh = this.keys().some((key) => !asked.keys.has(key));
    if (!fresh) return asked.until;
    const began = this.#exchanges
      .slice(-MOST_EXCHANGES)
      .filter((one) => [...one.callIds, ...one.icids].some((key) => !asked.keys.has(key)))
      .map((one) => startOf(one) - BEFORE_MS);
    return Math.min(asked.until, ...began);
  }

  /** Takes what is its own; what it could not be told, in lines. True: there is something new to show. */
  *take(steps: readonly NodeStep[], problems: readonly string[]): Work<boolean> {
    let earlier: number | undefined;
    // A Call-ID leads to an ICID, and that to other Call-IDs.
    for (let more = true; more; ) {
      const size = this.#steps.size;
      const known = yield* this.#knowing();
      for (const [at, step] of steps.entries()) {
        if (at % PIECE === 0) yield;
        if (this.#isOwn(step, known)) this.#add(step);
      }
      more = this.#steps.size > size;
      if (!more) break;
      const among = yield* exchangesAmong([...this.#steps.values()], this.last);
      this.#exchanges = among.exchanges;
      earlier = among.earlier;
    }
    if (earlier !== undefined) {
      this.#earlier += earlier;
      this.#forget();
      yield* this.#name();
    } else if (problems.join("\n") === this.#problems) return false;
    return yield* this.#say(problems);
  }

  /** One ladder after the other: together they may be a megabyte of text. */
  *#say(problems: readonly string[]): Work<boolean> {
    this.#problems = problems.join("\n");
    const ladders: string[] = [];
    for (const exchange of this.#exchanges) {
      const ladder: Ladders["ladders"][number] = yield* ladderDocument(exchange);
      ladders.push(JSON.stringify(ladder));
      yield;
    }
    const rest: Omit<Ladders, "key" | "ladders"> = {
      earlier: this.#earlier,
      ...(this.#oldest === undefined ? {} : { oldest: new Date(this.#oldest).toISOString() }),
      problems: this.#steps.size < MOST_STEPS ? [...problems] : [...problems, FULL],
    };
    const text = `{"key":${JSON.stringify(this.key)},"ladders":[${ladders.join(",")}],${JSON.stringify(rest).slice(1)}`;
    const changed = text !== this.#document;
    this.#document = text;
    return changed;
  }

  /** What nodes are to be asked by from now on. */
  *#name(): Work<void> {
    const latest = this.#exchanges.slice(-MOST_EXCHANGES);
    const identifiers = latest.flatMap(({ callIds, icids }) => [
      ...callIds.slice(-MOST_IDENTIFIERS),
      ...icids.slice(-MOST_IDENTIFIERS),
    ]);
    const aliases = yield* this.#aliases();
    const names = [this.key, ...aliases, ...identifiers, ...this.#openSessions(), ...this.#users()];
    this.#keys = [...new Set(names)].filter((one) => one !== "" && one.length <= 300);
  }

  *#knowing(): Work<Known> {
    const aliases = keysOf(yield* this.#aliases());
    return {
      ...this.#identifiers(),
      ...{ aliases, users: keysOf(this.#users()), isCall: this.#isCall() },
    };
  }

  #add(step: NodeStep): void {
    const name = `${step.node} ${step.sequence}`;
    const known = this.#steps.get(name);
    if (known !== undefined && Math.abs(known.time - step.time) <= SAME_MS) return;
    if (this.#steps.size >= MOST_STEPS) return;
    // A node that was started again counts from 0.
    this.#steps.set(known === undefined ? name : `${name} ${Math.round(step.time / SAME_MS)}`, step);
  }

  /** Steps of what is not shown any more. */
  #forget(): void {
    const shown = new Set(this.#exchanges.flatMap(({ steps }) => steps));
    const callIds = new Set(this.#exchanges.flatMap((one) => one.callIds));
    const newest = Math.max(0, ...[...shown].map(({ time }) => time));
    for (const [name, step] of this.#steps) {
      const { callId, method, time } = step;
      if (shown.has(step) || (callId === undefined && time >= newest - EARLY_MS)) continue;
      this.#steps.delete(name);
      // All registrations of a UE have one Call-ID.
      if (callId !== undefined && !callIds.has(callId) && method !== undefined && method !== "REGISTER")
        this.#dropped.add(callId);
    }
    for (const oldest of this.#dropped) {
      if (this.#dropped.size <= MOST_DROPPED) break;
      this.#dropped.delete(oldest);
    }
  }

  #isOwn(step: NodeStep, known: Known): boolean {
    const { callId, icid, session, identities = [] } = step;
    if (callId !== undefined && this.#dropped.has(callId)) return false;
    if (callId !== undefined && known.callIds.has(callId)) return true;
    if (icid !== undefined && known.icids.has(icid)) return true;
    if (session !== undefined && known.sessions.has(session)) return true;
    if (this.#self.is([callId, icid, session])) return true;
    const names = (keys: readonly TrailKey[]): boolean =>
      identities.some((one) => keys.some((key) => key.names(one)));
    // What the HSS was asked about its users; another call of theirs is not this one.
    if (callId === undefined && names(known.users)) return true;
    return !known.isCall && (names([this.#self]) || names(known.aliases));
  }

  #isCall(): boolean {
    return this.#exchanges.some(
      ({ callIds, icids }) => callIds.includes(this.key) || icids.includes(this.key),
    );
  }

  /** Other names of a subscriber: a REGISTER and the HSS name them together. */
  *#aliases(): Work<readonly string[]> {
    if (this.#isCall()) return [];
    const found = new Set<string>();
    for (const { steps } of this.#exchanges.slice(-MOST_EXCHANGES))
      for (const [at, { kind, method, identities = [] }] of steps.entries()) {
        if (at % PIECE === 0) yield;
        if ((kind === "cx" || method === "REGISTER") && identities.some((one) => this.#self.names(one)))
          for (const identity of identities) found.add(identity);
      }
    found.delete(this.key);
    return [...found].slice(0, MOST_ALIASES);
  }

  /** Both ends of the latest calls. */
  #users(): readonly string[] {
    const found = new Set<string>();
    for (const { steps } of this.#exchanges.slice(-MOST_EXCHANGES))
      for (const { kind, identities = [] } of steps)
        if (kind === "sip") for (const identity of identities) found.add(identity);
    return [...found].slice(-MOST_USERS);
  }

  #identifiers(): {
    readonly callIds: ReadonlySet<string>;
    readonly icids: ReadonlySet<string>;
    readonly sessions: ReadonlySet<string>;
  } {
    const [callIds, icids, sessions] = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (const { callId, icid, session } of this.#steps.values()) {
      if (callId !== undefined) callIds.add(callId);
      if (icid !== undefined) icids.add(icid);
      if (session !== undefined) sessions.add(session);
    }
    return { callIds, icids, sessions };
  }

  /** Diameter requests that have no answer yet: the answer names nobody. */
  #openSessions(): readonly string[] {
    const answered = new Set<string>();
    const open = new Set<string>();
    for (const { session, request } of this.#steps.values())
      if (session !== undefined) (request === true ? open : answered).add(session);
    return [...open].filter((session) => !answered.has(session)).slice(-MOST_SESSIONS);
  }
}

function keysOf(names: readonly string[]): readonly TrailKey[] {
  return names.map((one) => new TrailKey(one));
}
