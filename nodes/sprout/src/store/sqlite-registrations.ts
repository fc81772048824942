import type { DatabaseSync, StatementSync } from "node:sqlite";
import { asError, type Clock } from "@ims/runtime";
import {
  BackgroundCheckpoint,
  type CalendarStore,
  GroupCommit,
  openDatabase,
  SQLITE_CALENDAR_TABLE,
  sqliteCalendar,
} from "@ims/store";
import type {
  DurableReadResult,
  DurableRegistrations,
  DurableRow,
  DurableWriteResult,
  PartitionWrite,
} from "./durable-registrations.ts";

// A rowid table: rows of a kilobyte are appended, and only the small index is a tree by key.
const MIGRATIONS = [
  `CREATE TABLE registration (
    partition TEXT NOT NULL,
    item TEXT NOT NULL,
    stamp INTEGER NOT NULL,
    value BLOB,
    until INTEGER NOT NULL,
    PRIMARY KEY (partition, item)
  ) STRICT;`,
  SQLITE_CALENDAR_TABLE,
];

/** The file is this process's own; a wait would stall the loop. */
const BUSY_TIMEOUT_MS = 10;
/** Writes between two sweeps, and the rows one sweep looks at. An index by lifetime would cost each write more. */
const SWEEP_EVERY = 64;
const SWEEP_ROWS = 512;
/** How long it is remembered that an item has gone, s: no write is that late. */
const TOMBSTONE_SECONDS = 7200;

/** Registrations of one machine, with their calendar: what was answered as stored survives the process. */
export class SqliteRegistrations implements DurableRegistrations {
  /** In the same file: one commit for both. */
  readonly calendar: CalendarStore;
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #checkpoint: BackgroundCheckpoint | undefined;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #clear: StatementSync;
  readonly #sweep: StatementSync;
  readonly #last: StatementSync;
  #writes = 0;
  #sweptTo = 0;

  /** @throws StoreError STORE_DATABASE when the file cannot be used. */
  constructor({ path, clock }: { readonly path: string; readonly clock: Clock }) {
    this.#clock = clock;
    this.#database = openDatabase(path, { migrations: MIGRATIONS, busyTimeoutMs: BUSY_TIMEOUT_MS });
    this.#commits = new GroupCommit(this.#database);
    this.calendar = sqliteCalendar({ path: { database: this.#database, commits: this.#commits }, clock });
    this.#checkpoint = path === ":memory:" ? undefined : new BackgroundCheckpoint(this.#database, path);
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#select = prepare(
      "SELECT item, value, stamp FROM registration WHERE partition = ? AND until > ? AND value IS NOT NULL",
    );
    this.#put = prepare(
      `INSERT INTO registration (partition, item, stamp, value, until) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (partition, item) DO UPDATE SET stamp = ?3, value = ?4, until = ?5 WHERE stamp <= ?3`,
    );
    this.#clear = prepare(
      "UPDATE registration SET stamp = ?2, value = NULL, until = ?3 WHERE partition = ?1 AND stamp <= ?2",
    );
    this.#sweep = prepare("DELETE FROM registration WHERE rowid > ?1 AND rowid <= ?1 + ?2 AND until <= ?3");
    this.#last = prepare("SELECT max(rowid) AS last FROM registration");
  }

  read(partition: string): Promise<DurableReadResult> {
    try {
      const rows: DurableRow[] = this.#select.all(partition, this.#clock.now()).map((row) => ({
        item: row["item"] as string,
        value: row["value"] as Uint8Array,
        stamp: row["stamp"] as number,
      }));
      return Promise.resolve({ kind: "found", rows });
    } catch (error) {
      return Promise.resolve({ kind: "unavailable", cause: asError(error) });
    }
  }

  write(writes: readonly PartitionWrite[]): Promise<DurableWriteResult> {
    return this.#commits.run(() => {
      const now = this.#clock.now();
      for (const { partition, stamp, puts, removes, clearedTo } of writes) {
        if (clearedTo !== undefined) this.#clear.run(partition, clearedTo, now + TOMBSTONE_SECONDS * 1000);
        for (const item of removes)
          this.#put.run(partition, item, stamp, null, now + TOMBSTONE_SECONDS * 1000);
        for (const { item, value, ttlSeconds } of puts)
          this.#put.run(partition, item, stamp, value, Math.ceil(now + ttlSeconds * 1000));
      }
      if (++this.#writes % SWEEP_EVERY === 0) this.#sweepSome(now);
    });
  }

  #sweepSome(now: number): void {
    this.#sweep.run(this.#sweptTo, SWEEP_ROWS, now);
    this.#sweptTo += SWEEP_ROWS;
    if (this.#sweptTo > Number(this.#last.get()?.["last"] ?? 0)) this.#sweptTo = 0;
  }

  /** Rows in the file, those that have gone and were not swept included; 0 once closed. */
  get size(): number {
    if (!this.#database.isOpen) return 0;
    return Number(this.#database.prepare("SELECT count(*) AS n FROM registration").get()?.["n"]);
  }

  /** What is queued is written; afterwards every operation is unavailable. */
  async close(): Promise<void> {
    this.#commits.flush();
    if (this.#database.isOpen) this.#database.close();
    await this.#checkpoint?.close();
  }
}
