import type { Clock, Logger, Timer } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import {
  CALENDAR_RETENTION_SECONDS,
  CALENDAR_SHARDS,
  type CalendarStore,
  type KvStore,
  minuteOf,
  update,
} from "@ims/store";
import { ralfProblems } from "../problems.ts";
import { CURSORS } from "./keys.ts";

export interface DueModules {
  readonly calendar: CalendarStore;
  /** Where it is kept how far the calendar has been read, by any ralf. */
  readonly store: KvStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Looks whether the sessions are due, by the live record. */
  readonly onDue: (key: string) => Promise<void>;
}

const MINUTE_MS = 60_000;
const CURSOR = "calendar";
/** Whoever has a session in memory is in time; the calendar is for those that nobody has any more. */
const CALENDAR_DELAY_MS = 5_000;
/** A date further away is looked up in the calendar when it comes. */
const IN_MEMORY_MS = 3_600_000;

/**
 * When charging sessions have to be looked at. Each date stands in the calendar too, so that it is kept after the death of the
 * ralf that set it: all ralfs read each minute once it is over, and the live record says what is still to be done.
 */
export class DueSessions {
  readonly #modules: DueModules;
  readonly #timers = new Map<string, Timer>();
  /** The next minute to read. */
  #minute: number;
  #timer: Timer | undefined;
  #stopped = false;
  #behind = false;

  constructor(modules: DueModules) {
    this.#modules = modules;
    this.#minute = minuteOf(modules.clock.now());
  }

  /** Sessions with a date in memory. */
  get size(): number {
    return this.#timers.size;
  }

  get behind(): boolean {
    return this.#behind;
  }

  start(): void {
    void this.#catchUp().then(() => this.#scan());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** The date of sessions has changed; undefined: there is none any more. */
  schedule(key: string, at: number | undefined): void {
    const { clock, calendar, log } = this.#modules;
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
    if (at === undefined || this.#stopped) return;
    const wait = at - clock.now();
    if (wait <= IN_MEMORY_MS)
      this.#timers.set(
        key,
        clock.setTimer(Math.max(0, wait), () => {
          this.#timers.delete(key);
          this.#look(key);
        }),
      );
    void calendar.add([{ key, at }]).then((added) => {
      if (added.kind === "unavailable")
        log.warn(
          { err: added.cause, problemId: ralfProblems.sessionsAway.id },
          "the calendar of charging sessions is away",
        );
    });
  }

  /** All ralfs may have been away for a while. */
  async #catchUp(): Promise<void> {
    const { store, clock } = this.#modules;
    const found = await store.get(CURSORS, CURSOR);
    if (found.kind !== "found") return;
    const minute = Number(new TextDecoder().decode(found.value));
    const oldest = minuteOf(clock.now() - CALENDAR_RETENTION_SECONDS * 1000);
    if (Number.isInteger(minute)) this.#minute = Math.min(this.#minute, Math.max(oldest, minute));
  }

  /** Whoever starts next need not read it again; another ralf may be further. */
  #remember(): void {
    const next = this.#minute;
    void update(this.#modules.store, CURSORS, CURSOR, (bytes) => {
      if (bytes !== undefined && Number(new TextDecoder().decode(bytes)) >= next) return { kind: "keep" };
      return {
        kind: "put",
        value: new TextEncoder().encode(String(next)),
        ttlSeconds: 2 * CALENDAR_RETENTION_SECONDS,
      };
    });
  }

  #look(key: string): void {
    this.#modules.onDue(key).catch((err: unknown) => {
      this.#modules.log.error(
        { err, key, problemId: runtimeProblems.defect.id },
        "sessions that are due were not looked at",
      );
    });
  }

  async #scan(): Promise<void> {
    const { clock, calendar } = this.#modules;
    while (!this.#stopped) {
      const over = (this.#minute + 1) * MINUTE_MS + CALENDAR_DELAY_MS;
      const wait = over - clock.now();
      if (wait > 0) {
        this.#timer = clock.setTimer(wait, () => void this.#scan());
        return;
      }
      let failed = false;
      for (let shard = 0; shard < CALENDAR_SHARDS && !this.#stopped; shard++) {
        const found = await calendar.entries(this.#minute, shard);
        if (found.kind === "unavailable") {
          failed = true;
          break;
        }
        for (const { key } of found.entries)
          if (!this.#timers.has(key)) await this.#modules.onDue(key).catch(() => undefined);
      }
      this.#behind = failed;
      if (failed) {
        this.#timer = clock.setTimer(CALENDAR_DELAY_MS, () => void this.#scan());
        return;
      }
      this.#minute++;
      this.#remember();
      // A day of minutes at the start: the loop goes on between two.
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }
}
