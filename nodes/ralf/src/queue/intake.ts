import type { ChargingEvent } from "@ims/ims";
import type { Clock, Logger } from "@ims/runtime";
import { type KvStore, update } from "@ims/store";
import { type Accounted, type AccountOptions, account, accountDue } from "../accounting/account.ts";
import {
  type AccountingRecord,
  decodeSessions,
  encodeSessions,
  nextDue,
} from "../accounting/charging-session.ts";
import { EVENTS, SESSIONS, sessionsKey } from "../accounting/keys.ts";
import type { IntakeCounters } from "../metrics.ts";
import { ralfProblems } from "../problems.ts";
import type { CdrLine, InboxRow, QueueDatabase } from "./queue-database.ts";

export interface IntakeModules {
  readonly queue: QueueDatabase;
  readonly store: KvStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: IntakeCounters;
  readonly newSessionId: () => string;
  /** Are ACRs sent? Otherwise only CDRs are written. */
  readonly toCdf: boolean;
  /** The CDR lines of a record; none while a session goes on. */
  readonly cdrsOf: (record: AccountingRecord) => readonly CdrLine[];
  /** Told when these sessions are to be looked at again; undefined: they have ended. */
  readonly schedule: (key: string, at: number | undefined) => void;
  /** Something new is in the queue. */
  readonly onSettled: () => void;
}

export interface IntakeOptions {
  readonly interimSeconds: number;
  readonly maxSessionSeconds: number;
}

/** Events worked on at a time; the others wait on disk. */
const MAX_PENDING = 2_000;
const RETRY_MS = 1_000;
/** How long the end of a session waits for its beginning, which may come by way of another ralf. */
const PATIENCE_MS = 10_000;
/** Ends that wait for a beginning: more of them do not wait. */
const MAX_HELD = 20_000;
/** How long an event is known again; also the time an ended session is remembered. */
const REMEMBER_SECONDS = 600;
const ALIVE_SLACK_SECONDS = 3_600;

type Work =
  | { readonly kind: "done"; readonly records: readonly AccountingRecord[]; readonly repeated: boolean }
  | { readonly kind: "notYet" }
  | { readonly kind: "away" };

/** From events on disk to accounting records in the queue. An event is on disk until what it came to is. */
export class Intake {
  readonly #modules: IntakeModules;
  readonly #options: IntakeOptions;
  /** By key: events of one dialog are worked on one after the other. */
  readonly #chains = new Map<string, Promise<void>>();
  #pending = 0;
  #held = 0;
  /** The last row read from disk; what was there when the process started may have been worked on before. */
  #readTo = 0;
  #oldTo = 0;
  #stopped = false;
  #away = false;

  constructor(options: IntakeOptions, modules: IntakeModules) {
    this.#options = options;
    this.#modules = modules;
  }

  get pending(): number {
    return this.#pending;
  }

  /** The store of sessions does not answer: events wait on disk. */
  get away(): boolean {
    return this.#away;
  }

  start(): void {
    this.#oldTo = this.#modules.queue.lastTaken;
    this.#read();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when they are on disk; false: they are not. */
  async take(events: readonly ChargingEvent[], resent: boolean): Promise<boolean> {
    const takenAt = this.#modules.clock.now();
    const rows = events.map((event) => ({
      key: event.kind === "event" ? event.id : sessionsKey(event),
      resent,
      takenAt,
      body: JSON.stringify(event),
    }));
    const result = await this.#modules.queue.take(rows);
    if (result.kind === "stored") this.#read();
    return result.kind === "stored";
  }

  /** Looks whether sessions are due, and does what is. */
  async due(key: string): Promise<void> {
    const { store, queue, clock } = this.#modules;
    const found = await store.get(SESSIONS, key);
    if (found.kind !== "found") return;
    const sessions = decodeSessions(found.value);
    const at = sessions && nextDue(sessions);
    if (at === undefined) return;
    const now = clock.now();
    if (at > now) return this.#modules.schedule(key, at);
    await queue.take([{ key, resent: false, takenAt: now, body: "" }]);
    this.#read();
  }

  #read(): void {
    const room = MAX_PENDING - this.#pending;
    if (room <= 0 || this.#stopped) return;
    for (const row of this.#modules.queue.inbox(this.#readTo, room)) {
      this.#readTo = row.id;
      this.#pending++;
      this.#enqueue(row, row.resent || row.id <= this.#oldTo);
    }
  }

  #enqueue(row: InboxRow, again: boolean): void {
    const before = this.#chains.get(row.key) ?? Promise.resolve();
    const chain = before
      .then(() => this.#work(row, again))
      .catch((err: unknown) => {
        this.#modules.log.error(
          { err, key: row.key, problemId: ralfProblems.recordUnwritable.id },
          "a charging event was not worked on; it stays on disk",
        );
        this.#pending--;
      })
      .finally(() => {
        if (this.#chains.get(row.key) === chain) this.#chains.delete(row.key);
      });
    this.#chains.set(row.key, chain);
  }

  async #work(row: InboxRow, again: boolean): Promise<void> {
    const { queue, counters, clock, toCdf, cdrsOf, onSettled } = this.#modules;
    for (;;) {
      if (this.#stopped) return;
      const work = await this.#accounted(row, again);
      const waits = clock.now() - row.takenAt < PATIENCE_MS && this.#held < MAX_HELD;
      if (work.kind === "notYet" && waits) return this.#hold(row, again);
      if (work.kind !== "away") {
        if (work.kind === "notYet") counters.event("unknownSession");
        const records = work.kind === "done" ? work.records : [];
        const repeated = work.kind === "done" && work.repeated;
        const cdrs = records.flatMap(cdrsOf);
        const settled = await queue.settle(row.id, toCdf ? records : [], repeated, cdrs, clock.now());
        if (settled.kind === "stored") {
          this.#away = false;
          this.#pending--;
          if (records.length > 0) onSettled();
          if (this.#pending <= MAX_PENDING / 2) this.#read();
          return;
        }
      }
      if (!this.#away)
        this.#modules.log.error(
          { problemId: ralfProblems.sessionsAway.id },
          "the store of charging sessions is away; events wait on disk",
        );
      this.#away = true;
      // What is tried again may have been stored.
      again = true;
      await new Promise<void>((resolve) => void clock.setTimer(RETRY_MS, resolve));
    }
  }

  /** Out of the way of the others, also of the beginning that it waits for. */
  #hold(row: InboxRow, again: boolean): void {
    this.#held++;
    this.#pending--;
    this.#modules.clock.setTimer(RETRY_MS, () => {
      this.#held--;
      this.#pending++;
      this.#enqueue(row, again);
    });
    this.#read();
  }

  async #accounted(row: InboxRow, again: boolean): Promise<Work> {
    const event = row.body === "" ? undefined : (JSON.parse(row.body) as ChargingEvent);
    if (event?.kind === "event") return this.#single(event, again);
    const { store, clock, counters, schedule } = this.#modules;
    const options: AccountOptions = {
      ...this.#options,
      now: clock.now(),
      newSessionId: this.#modules.newSessionId,
      again,
    };
    let outcome: Accounted = { kind: "unknownSession" };
    const result = await update(store, SESSIONS, row.key, (bytes) => {
      const sessions = bytes && decodeSessions(bytes);
      if (event !== undefined) outcome = account(sessions, event, options);
      else if (sessions !== undefined) outcome = accountDue(sessions, options);
      if (outcome.kind !== "records" || outcome.sessions === sessions) return { kind: "keep" };
      const due = nextDue(outcome.sessions);
      const ttlSeconds =
        due === undefined
          ? REMEMBER_SECONDS
          : Math.max(...outcome.sessions.roles.map(({ lostAt }) => (lostAt - options.now) / 1000)) +
            ALIVE_SLACK_SECONDS;
      return { kind: "put", value: encodeSessions(outcome.sessions), ttlSeconds };
    });
    if (result.kind === "unavailable" || result.kind === "contention") return { kind: "away" };
    const done = outcome as Accounted;
    if (done.kind === "unknownSession") {
      if (event?.kind === "stop") return { kind: "notYet" };
      counters.event(event === undefined ? "notDue" : "unknownSession");
      return { kind: "done", records: [], repeated: false };
    }
    if (done.kind === "repeated") {
      counters.event("repeated");
      return { kind: "done", records: [], repeated: false };
    }
    counters.event(done.repeated ? "repeated" : "taken");
    schedule(row.key, nextDue(done.sessions));
    return { kind: "done", records: done.records, repeated: done.repeated };
  }

  /** What is no session: known by its id for a while. */
  async #single(event: ChargingEvent, again: boolean): Promise<Work> {
    const { store, counters, newSessionId } = this.#modules;
    let sessionId = newSessionId();
    let repeated = false;
    const written = await update(store, EVENTS, event.id, (bytes) => {
      repeated = bytes !== undefined;
      if (bytes !== undefined) {
        sessionId = new TextDecoder().decode(bytes);
        return { kind: "keep" };
      }
      return { kind: "put", value: new TextEncoder().encode(sessionId), ttlSeconds: REMEMBER_SECONDS };
    });
    if (written.kind === "unavailable" || written.kind === "contention") return { kind: "away" };
    counters.event(repeated ? "repeated" : "taken");
    if (repeated && !again) return { kind: "done", records: [], repeated: false };
    const record: AccountingRecord = { sessionId, recordType: "EVENT", recordNumber: 0, event };
    return { kind: "done", records: [record], repeated };
  }
}
