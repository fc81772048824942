import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";

export interface OpenDatabaseOptions {
  /** SQL scripts, oldest first. Script n brings the schema from version n to n + 1; once released it is never edited. */
  readonly migrations: readonly string[];
  /** How long a statement waits for another process's write. It blocks the event loop, so it is short. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens or creates an SQLite file (":memory:" for none) and brings its schema up to date. Write-ahead log, foreign keys on.
 * A power cut may lose the last commits, never the file; the end of the process loses nothing.
 * @throws StoreError STORE_DATABASE when the file cannot be used or was written by a newer release.
 */
export function openDatabase(path: string, options: OpenDatabaseOptions): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: options.busyTimeoutMs ?? 1000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    migrate(database, options.migrations);
    return database;
  } catch (cause) {
    database?.close();
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError({ code: "STORE_DATABASE", path, problem }, { cause });
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  if (schemaVersion(database) === migrations.length) return;
  // The write lock comes first: of two processes that open a new file together, one migrates and the other finds it done.
  database.exec("BEGIN IMMEDIATE");
  try {
    const version = schemaVersion(database);
    if (version > migrations.length) {
      throw new Error(`schema ${version} is newer than this program's ${migrations.length}`);
    }
    for (const script of migrations.slice(version)) database.exec(script);
    database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
