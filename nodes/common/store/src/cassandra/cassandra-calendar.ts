import type { Clock } from "@ims/runtime";
import {
  CALENDAR_RETENTION_SECONDS,
  type CalendarAddResult,
  type CalendarEntriesResult,
  type CalendarEntry,
  type CalendarStore,
  minuteOf,
  shardOf,
} from "../calendar-store.ts";
import type { BatchEntry, CassandraSession, Statement } from "./session.ts";

const ADD: Statement = {
  cql: "INSERT INTO keyspace.calendar (minute, shard, at, key) VALUES (?, ?, ?, ?) USING TTL ?",
  idempotent: true,
};
const ENTRIES: Statement = {
  cql: "SELECT at, key FROM keyspace.calendar WHERE minute = ? AND shard = ?",
  idempotent: true,
};

/** Cassandra warns above 5 kB a batch. */
const BATCH_BYTES = 4096;
const BATCHES_AT_ONCE = 32;
const LONGEST_TTL_SECONDS = 10 * 365 * 86_400;
/** Clocks of nodes differ. */
const SLACK_SECONDS = 60;

export interface CassandraCalendarOptions {
  readonly session: CassandraSession;
  readonly clock: Clock;
}

/** The calendar of a cluster: one partition for each minute and shard, so one read answers who is due. */
export class CassandraCalendar implements CalendarStore {
  readonly #session: CassandraSession;
  readonly #clock: Clock;

  constructor({ session, clock }: CassandraCalendarOptions) {
    this.#session = session;
    this.#clock = clock;
  }

  async add(entries: readonly CalendarEntry[]): Promise<CalendarAddResult> {
    const batches = this.#batchesOf(entries);
    for (let from = 0; from < batches.length; from += BATCHES_AT_ONCE) {
      const results = await Promise.all(
        batches.slice(from, from + BATCHES_AT_ONCE).map((batch) => this.#session.batch(batch)),
      );
      for (const result of results) if (result.kind === "unavailable") return result;
    }
    return { kind: "stored" };
  }

  async entries(minute: number, shard: number): Promise<CalendarEntriesResult> {
    const entries: CalendarEntry[] = [];
    let page: string | undefined;
    do {
      const options = page === undefined ? {} : { page };
      const result = await this.#session.execute(ENTRIES, [minute, shard], options);
      if (result.kind === "unavailable") return result;
      for (const row of result.rows)
        entries.push({ key: String(row["key"]), at: (row["at"] as Date).getTime() });
      page = result.nextPage;
    } while (page !== undefined);
    return { kind: "found", entries };
  }

  /** Entries of one partition go together, up to a size. */
  #batchesOf(entries: readonly CalendarEntry[]): BatchEntry[][] {
    const now = this.#clock.now();
    const open = new Map<string, { batch: BatchEntry[]; bytes: number }>();
    const batches: BatchEntry[][] = [];
    for (const { key, at } of entries) {
      const minute = minuteOf(at);
      const shard = shardOf(key);
      const partition = `${minute} ${shard}`;
      const bytes = 64 + 3 * key.length;
      let last = open.get(partition);
      if (last === undefined || last.bytes + bytes > BATCH_BYTES) {
        last = { batch: [], bytes: 0 };
        open.set(partition, last);
        batches.push(last.batch);
      }
      last.bytes += bytes;
      last.batch.push({ statement: ADD, params: [minute, shard, new Date(at), key, ttlOf(at - now)] });
    }
    return batches;
  }
}

export function cassandraCalendar(options: CassandraCalendarOptions): CassandraCalendar {
  return new CassandraCalendar(options);
}

function ttlOf(msUntilDue: number): number {
  const seconds = Math.ceil(msUntilDue / 1000) + CALENDAR_RETENTION_SECONDS + SLACK_SECONDS;
  return Math.min(LONGEST_TTL_SECONDS, Math.max(SLACK_SECONDS, seconds));
}
