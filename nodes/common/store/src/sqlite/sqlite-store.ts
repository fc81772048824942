import { randomInt } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { asError, type Clock } from "@ims/runtime";
import { checkPut } from "../check-put.ts";
import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
} from "../kv-store.ts";
import { openDatabase } from "./open-database.ts";

const MIGRATIONS = [
  `CREATE TABLE entry (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
  ) STRICT;
  CREATE INDEX entry_expiry ON entry (expires_at);`,
];

/** Puts between two sweeps, and the most rows one sweep deletes: twice as many, so that garbage shrinks. */
const SWEEP_EVERY = 64;
const SWEEP_ROWS = 128;

const NOT_FOUND: Promise<GetResult> = Promise.resolve({ kind: "notFound" });
const STORED: Promise<PutResult> = Promise.resolve({ kind: "stored" });
const CONTENTION: Promise<PutResult> = Promise.resolve({ kind: "contention" });

export interface SqliteStoreOptions {
  /** File, shared by several processes of one machine if need be; ":memory:" for none. */
  readonly path: string;
  readonly clock: Clock;
  readonly busyTimeoutMs?: number;
}

/** The store of one machine: survives the process. Each operation is one statement, so it is one transaction. */
export class SqliteStore implements KvStore {
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteVersion: StatementSync;
  readonly #sweep: StatementSync;
  /** Counts on from a random start: handles of other processes do not give the same numbers. */
  #lastVersion = randomInt(2 ** 47) * 16;
  #puts = 0;

  /** @throws StoreError STORE_DATABASE when the file cannot be used. */
  constructor({ path, clock, busyTimeoutMs }: SqliteStoreOptions) {
    this.#clock = clock;
    const database = openDatabase(path, {
      migrations: MIGRATIONS,
      ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
    });
    this.#database = database;
    this.#get = database.prepare(
      "SELECT value, version FROM entry WHERE owner = ? AND key = ? AND expires_at > ?",
    );
    this.#insert = database.prepare(
      `INSERT INTO entry (owner, key, value, version, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (owner, key) DO UPDATE SET value = ?3, version = ?4, expires_at = ?5 WHERE entry.expires_at <= ?6`,
    );
    this.#replace = database.prepare(
      "UPDATE entry SET value = ?, version = ?, expires_at = ? WHERE owner = ? AND key = ? AND version = ? AND expires_at > ?",
    );
    this.#delete = database.prepare("DELETE FROM entry WHERE owner = ? AND key = ?");
    this.#deleteVersion = database.prepare(
      "DELETE FROM entry WHERE owner = ? AND key = ? AND version = ? AND expires_at > ?",
    );
    this.#sweep = database.prepare(
      "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry WHERE expires_at <= ? LIMIT ?)",
    );
  }

  get(table: string, key: string): Promise<GetResult> {
    try {
      const row = this.#get.get(table, key, this.#clock.now());
      if (row === undefined) return NOT_FOUND;
      const value = row["value"] as Uint8Array;
      return Promise.resolve({ kind: "found", value, version: asVersion(row["version"] as number) });
    } catch (error) {
      return unavailable(error);
    }
  }

  put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    const fault = checkPut(table, value, options.ttlSeconds);
    if (fault !== undefined) return Promise.reject(fault);
    const { ifVersion } = options;
    const now = this.#clock.now();
    const expiresAt = Math.ceil(now + options.ttlSeconds * 1000);
    const version = ++this.#lastVersion;
    try {
      const { changes } =
        ifVersion === "absent"
          ? this.#insert.run(table, key, value, version, expiresAt, now)
          : this.#replace.run(value, version, expiresAt, table, key, ifVersion, now);
      if (++this.#puts % SWEEP_EVERY === 0) this.#sweep.run(now, SWEEP_ROWS);
      return changes === 0 ? CONTENTION : STORED;
    } catch (error) {
      return unavailable(error);
    }
  }

  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    try {
      if (options?.ifVersion === undefined) {
        this.#delete.run(table, key);
        return STORED;
      }
      const { changes } = this.#deleteVersion.run(table, key, options.ifVersion, this.#clock.now());
      return changes === 0 ? CONTENTION : STORED;
    } catch (error) {
      return unavailable(error);
    }
  }

  /** Rows in the file, expired ones that no sweep has met included. */
  get size(): number {
    return Number(this.#database.prepare("SELECT count(*) AS n FROM entry").get()?.["n"]);
  }

  /** Afterwards every operation is unavailable. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  return new SqliteStore(options);
}

function unavailable(error: unknown): Promise<{ kind: "unavailable"; cause: Error }> {
  return Promise.resolve({ kind: "unavailable", cause: asError(error) });
}
