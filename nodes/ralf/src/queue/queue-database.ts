import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BackgroundCheckpoint, type CommitResult, GroupCommit, openDatabase } from "@ims/store";
import type { AccountingRecord } from "../accounting/charging-session.ts";

const MIGRATIONS = [
  `CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    resent INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE acr (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    number INTEGER NOT NULL,
    again INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX acr_record ON acr (session, number);
  CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    result TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE cdr (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    line TEXT NOT NULL
  ) STRICT;
  CREATE TABLE cdr_known (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cdr_known_at ON cdr_known (at);`,
];

/** The loop waits for another process's write at most this long; there is none in normal life. */
const BUSY_TIMEOUT_MS = 50;

/** An event as it was taken, or a session that is due when `body` is empty. */
export interface InboxRow {
  readonly id: number;
  readonly key: string;
  readonly resent: boolean;
  /** ms since the epoch. */
  readonly takenAt: number;
  readonly body: string;
}

/** An accounting request that has no answer yet. */
export interface QueuedRecord {
  readonly id: number;
  /** It may have been sent before. */
  readonly again: boolean;
  /** Refusals so far that may pass. */
  readonly tries: number;
  readonly record: AccountingRecord;
}

export interface DeadRecord {
  readonly id: number;
  readonly result: string;
  readonly at: number;
  readonly record: AccountingRecord;
}

/** One line of a CDR file; what has the same id is written once. */
export interface CdrLine {
  readonly id: string;
  readonly line: string;
}

/** Longer than an event may be repeated. */
const CDR_KNOWN_MS = 3_600_000;

/** What ralf must not lose, in one SQLite file: events taken, requests not answered, records refused, CDRs not written. */
export class QueueDatabase {
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #checkpoint: BackgroundCheckpoint | undefined;
  readonly #statements: Record<Statement, StatementSync>;
  #queued: number;
  #dead: number;

  /** `path`: ":memory:" for none. @throws StoreError STORE_DATABASE when the file cannot be used. */
  constructor(path: string) {
    this.#database = openDatabase(path, { migrations: MIGRATIONS, busyTimeoutMs: BUSY_TIMEOUT_MS });
    // What is there from before may have been sent just before the process ended.
    this.#database.exec("UPDATE acr SET again = 1, next_at = 0");
    this.#commits = new GroupCommit(this.#database);
    this.#checkpoint = path === ":memory:" ? undefined : new BackgroundCheckpoint(this.#database, path);
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, this.#database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<Statement, StatementSync>;
    this.#queued = this.#count("acr");
    this.#dead = this.#count("dead");
  }

  /** Accounting requests without an answer. */
  get queued(): number {
    return this.#queued;
  }

  get dead(): number {
    return this.#dead;
  }

  /** Of the last event taken, before or since the start. */
  get lastTaken(): number {
    return Number(
      this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'").get()?.["seq"] ?? 0,
    );
  }

  take(rows: readonly Omit<InboxRow, "id">[]): Promise<CommitResult> {
    return this.#commits.run(() => {
      for (const { key, resent, takenAt, body } of rows)
        this.#statements.take.run(key, resent ? 1 : 0, takenAt, body);
    });
  }

  inbox(afterId: number, limit: number): readonly InboxRow[] {
    return this.#statements.inbox.all(afterId, limit).map((row) => ({
      id: Number(row["id"]),
      key: String(row["key"]),
      resent: row["resent"] === 1,
      takenAt: Number(row["taken_at"]),
      body: String(row["body"]),
    }));
  }

  /** An event has been worked on: what it came to takes its place, in one transaction. */
  async settle(
    inboxId: number,
    records: readonly AccountingRecord[],
    again: boolean,
    cdrs: readonly CdrLine[],
    now: number,
  ): Promise<CommitResult> {
    let added = 0;
    const result = await this.#commits.run(() => {
      added = 0;
      this.#statements.untake.run(inboxId);
      for (const record of records) {
        const { sessionId, recordNumber } = record;
        const { changes } = this.#statements.queue.run(
          sessionId,
          recordNumber,
          again ? 1 : 0,
          JSON.stringify(record),
        );
        added += Number(changes);
      }
      for (const { id, line } of cdrs) {
        if (this.#statements.knowCdr.run(id, now).changes > 0) this.#statements.addCdr.run(line);
        this.#statements.forgetCdrs.run(now - CDR_KNOWN_MS);
      }
    });
    if (result.kind === "stored") this.#queued += added;
    return result;
  }

  /** Ids of requests that may go now: those of one session one after the other. */
  sendable(now: number, limit: number): readonly number[] {
    return this.#statements.sendable.all(now, limit).map((row) => Number(row["id"]));
  }

  /** Undefined: it has been answered. */
  read(id: number): QueuedRecord | undefined {
    const row = this.#statements.read.get(id);
    if (row === undefined) return undefined;
    return {
      id,
      again: row["again"] === 1,
      tries: Number(row["tries"]),
      record: JSON.parse(String(row["body"])) as AccountingRecord,
    };
  }

  async answered(id: number): Promise<CommitResult> {
    const result = await this.#commits.run(() => void this.#statements.answered.run(id));
    if (result.kind === "stored") this.#queued--;
    return result;
  }

  /** No answer: it may have arrived all the same. */
  unanswered(id: number): Promise<CommitResult> {
    return this.#commits.run(() => void this.#statements.unanswered.run(id));
  }

  postpone(id: number, nextAt: number): Promise<CommitResult> {
    return this.#commits.run(() => void this.#statements.postpone.run(nextAt, id));
  }

  /** It will never be taken; those after it may go. */
  async bury(id: number, result: string, at: number): Promise<CommitResult> {
    const committed = await this.#commits.run(() => {
      this.#statements.bury.run(result, at, id);
      this.#statements.answered.run(id);
    });
    if (committed.kind === "stored") {
      this.#queued--;
      this.#dead++;
    }
    return committed;
  }

  deadLetters(limit: number): readonly DeadRecord[] {
    return this.#statements.dead.all(limit).map((row) => ({
      id: Number(row["id"]),
      result: String(row["result"]),
      at: Number(row["at"]),
      record: JSON.parse(String(row["body"])) as AccountingRecord,
    }));
  }

  /** Dead letters go back into the queue. */
  async retryDead(): Promise<CommitResult> {
    const result = await this.#commits.run(() => {
      this.#statements.exhume.run();
      this.#database.exec("DELETE FROM dead");
    });
    this.#recount(result);
    return result;
  }

  async dropDead(): Promise<CommitResult> {
    const result = await this.#commits.run(() => void this.#database.exec("DELETE FROM dead"));
    this.#recount(result);
    return result;
  }

  cdrs(limit: number): readonly { readonly id: number; readonly line: string }[] {
    return this.#statements.cdrs
      .all(limit)
      .map((row) => ({ id: Number(row["id"]), line: String(row["line"]) }));
  }

  /** They are in the file. */
  cdrsWritten(lastId: number): Promise<CommitResult> {
    return this.#commits.run(() => void this.#statements.cdrsWritten.run(lastId));
  }

  /** What is queued is written; afterwards every operation is unavailable. */
  async close(): Promise<void> {
    this.#commits.flush();
    if (this.#database.isOpen) this.#database.close();
    await this.#checkpoint?.close();
  }

  #count(table: "acr" | "dead"): number {
    return Number(this.#database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  }

  #recount(result: CommitResult): void {
    if (result.kind !== "stored") return;
    this.#queued = this.#count("acr");
    this.#dead = this.#count("dead");
  }
}

const SQL = {
  take: "INSERT INTO inbox (key, resent, taken_at, body) VALUES (?, ?, ?, ?)",
  inbox: "SELECT id, key, resent, taken_at, body FROM inbox WHERE id > ? ORDER BY id LIMIT ?",
  untake: "DELETE FROM inbox WHERE id = ?",
  queue: `INSERT INTO acr (session, number, again, tries, next_at, body) VALUES (?, ?, ?, 0, 0, ?)
    ON CONFLICT (session, number) DO NOTHING`,
  sendable: `SELECT id FROM acr AS one WHERE next_at <= ? AND NOT EXISTS
    (SELECT 1 FROM acr AS before WHERE before.session = one.session AND before.number < one.number)
    ORDER BY id LIMIT ?`,
  read: "SELECT again, tries, body FROM acr WHERE id = ?",
  answered: "DELETE FROM acr WHERE id = ?",
  unanswered: "UPDATE acr SET again = 1 WHERE id = ?",
  postpone: "UPDATE acr SET again = 1, tries = tries + 1, next_at = ? WHERE id = ?",
  bury: "INSERT INTO dead (result, at, body) SELECT ?, ?, body FROM acr WHERE id = ?",
  dead: "SELECT id, result, at, body FROM dead ORDER BY id LIMIT ?",
  exhume: `INSERT INTO acr (session, number, again, tries, next_at, body)
    SELECT json_extract(body, '$.sessionId'), json_extract(body, '$.recordNumber'), 1, 0, 0, body FROM dead
    WHERE true ON CONFLICT (session, number) DO NOTHING`,
  knowCdr: "INSERT OR IGNORE INTO cdr_known (id, at) VALUES (?, ?)",
  forgetCdrs: "DELETE FROM cdr_known WHERE id IN (SELECT id FROM cdr_known WHERE at < ? ORDER BY at LIMIT 2)",
  addCdr: "INSERT INTO cdr (line) VALUES (?)",
  cdrs: "SELECT id, line FROM cdr ORDER BY id LIMIT ?",
  cdrsWritten: "DELETE FROM cdr WHERE id <= ?",
} as const;
type Statement = keyof typeof SQL;
