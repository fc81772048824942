import type { DatabaseSync, StatementSync } from "node:sqlite";
import { asError, type Clock } from "@ims/runtime";
import {
  CALENDAR_RETENTION_SECONDS,
  type CalendarAddResult,
  type CalendarEntriesResult,
  type CalendarEntry,
  type CalendarStore,
  minuteOf,
  shardOf,
} from "../calendar-store.ts";
import { GroupCommit } from "./group-commit.ts";
import { openDatabase } from "./open-database.ts";

/** The table of a calendar, for the migrations of a database that it shares. */
export const SQLITE_CALENDAR_TABLE = `CREATE TABLE due (
    minute INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (minute, shard, key, at)
  ) WITHOUT ROWID, STRICT;`;

/** Additions between two sweeps: looking for what is old costs more than to add a row. */
const SWEEP_EVERY = 64;
/** Rows swept for each one added: two, so that what is old shrinks faster than it grows. */
const SWEEP_ROWS = 2;

/** The file is this process's own; a wait would stall the loop. */
const BUSY_TIMEOUT_MS = 10;

const NOTHING: Promise<CalendarAddResult> = Promise.resolve({ kind: "stored" });

export interface SqliteCalendarOptions {
  /** File; ":memory:" for none. Or a database with its table, whose owner closes it, and what that is written with. */
  readonly path: string | { readonly database: DatabaseSync; readonly commits: GroupCommit };
  readonly clock: Clock;
}

/** The calendar of one machine: survives the process. */
export class SqliteCalendar implements CalendarStore {
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #sweep: StatementSync;
  #additions = 0;
  /** Rows added since the last sweep; the first addition sweeps for what the process before left behind. */
  #unswept = SWEEP_EVERY;

  /** @throws StoreError STORE_DATABASE when the file cannot be used. */
  constructor({ path, clock }: SqliteCalendarOptions) {
    this.#clock = clock;
    this.#database =
      typeof path === "string"
        ? openDatabase(path, { migrations: [SQLITE_CALENDAR_TABLE], busyTimeoutMs: BUSY_TIMEOUT_MS })
        : path.database;
    this.#commits = typeof path === "string" ? new GroupCommit(this.#database) : path.commits;
    this.#insert = this.#database.prepare(
      "INSERT OR IGNORE INTO due (minute, shard, key, at) VALUES (?, ?, ?, ?)",
    );
    this.#select = this.#database.prepare("SELECT key, at FROM due WHERE minute = ? AND shard = ?");
    this.#sweep = this.#database.prepare(
      `DELETE FROM due WHERE (minute, shard, key, at) IN
         (SELECT minute, shard, key, at FROM due WHERE minute < ? ORDER BY minute LIMIT ?)`,
    );
  }

  add(entries: readonly CalendarEntry[]): Promise<CalendarAddResult> {
    if (entries.length === 0) return NOTHING;
    return this.#commits.run(() => {
      for (const { key, at } of entries) this.#insert.run(minuteOf(at), shardOf(key), key, Math.floor(at));
      this.#unswept += entries.length;
      if (this.#additions++ % SWEEP_EVERY === 0) this.#sweepSome();
    });
  }

  #sweepSome(): void {
    const oldest = minuteOf(this.#clock.now() - CALENDAR_RETENTION_SECONDS * 1000);
    this.#sweep.run(oldest, this.#unswept * SWEEP_ROWS);
    this.#unswept = 0;
  }

  entries(minute: number, shard: number): Promise<CalendarEntriesResult> {
    try {
      const rows = this.#select.all(minute, shard);
      return Promise.resolve({
        kind: "found",
        entries: rows.map((row) => ({ key: String(row["key"]), at: Number(row["at"]) })),
      });
    } catch (error) {
      return Promise.resolve({ kind: "unavailable", cause: asError(error) });
    }
  }

  /** What is queued is written; afterwards every operation is unavailable. */
  close(): void {
    this.#commits.flush();
    if (this.#database.isOpen) this.#database.close();
  }
}

export function sqliteCalendar(options: SqliteCalendarOptions): SqliteCalendar {
  return new SqliteCalendar(options);
}
