import type { Clock } from "@ims/runtime";
import {
  CALENDAR_RETENTION_SECONDS,
  CALENDAR_SHARDS,
  type CalendarAddResult,
  type CalendarEntriesResult,
  type CalendarEntry,
  type CalendarStore,
  minuteOf,
  shardOf,
} from "../calendar-store.ts";

const STORED: Promise<CalendarAddResult> = Promise.resolve({ kind: "stored" });
const NONE: Promise<CalendarEntriesResult> = Promise.resolve({ kind: "found", entries: [] });

/** The calendar of one process: nothing survives it. */
export class MemoryCalendar implements CalendarStore {
  readonly #clock: Clock;
  /** minute * shards + shard -> key -> times. */
  readonly #pages = new Map<number, Map<string, Set<number>>>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  add(entries: readonly CalendarEntry[]): Promise<CalendarAddResult> {
    for (const { key, at } of entries) {
      const number = minuteOf(at) * CALENDAR_SHARDS + shardOf(key);
      let page = this.#pages.get(number);
      if (page === undefined) {
        this.#sweep();
        page = new Map();
        this.#pages.set(number, page);
      }
      const times = page.get(key);
      if (times === undefined) page.set(key, new Set([at]));
      else times.add(at);
    }
    return STORED;
  }

  entries(minute: number, shard: number): Promise<CalendarEntriesResult> {
    const page = this.#pages.get(minute * CALENDAR_SHARDS + shard);
    if (page === undefined) return NONE;
    const entries: CalendarEntry[] = [];
    for (const [key, times] of page) for (const at of times) entries.push({ key, at });
    return Promise.resolve({ kind: "found", entries });
  }

  /** Pages in the order they were begun; with each new one up to four old ones go. */
  #sweep(): void {
    const oldest = minuteOf(this.#clock.now() - CALENDAR_RETENTION_SECONDS * 1000) * CALENDAR_SHARDS;
    let looked = 0;
    for (const number of this.#pages.keys()) {
      if (number < oldest) this.#pages.delete(number);
      if (++looked === 4) return;
    }
  }
}

export function memoryCalendar(modules: { readonly clock: Clock }): MemoryCalendar {
  return new MemoryCalendar(modules);
}
