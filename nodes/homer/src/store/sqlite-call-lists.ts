import type { Clock } from "@ims/runtime";
import { openDatabase } from "@ims/store";
import type { CallListRepository, StoredFragment } from "./call-list-repository.ts";
import { UNAVAILABLE, type Unavailable } from "./simservs-repository.ts";

const MIGRATIONS = [
  `CREATE TABLE call_fragments (
     canonical TEXT NOT NULL, started_at INTEGER NOT NULL, call TEXT NOT NULL, kind TEXT NOT NULL,
     elements TEXT NOT NULL, expires_at INTEGER NOT NULL,
     PRIMARY KEY (canonical, started_at, call, kind)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX call_fragments_expiry ON call_fragments (expires_at);`,
];

const SWEEP_MS = 60_000;
/** Rows of one sweep: it blocks the loop. */
const SWEEP_ROWS = 500;

export interface SqliteCallListsOptions {
  /** ":memory:" for none. */
  readonly path: string;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/** Call lists of one homer, in a file. Throws StoreError. */
export function sqliteCallLists({
  path,
  ttlSeconds,
  clock,
  onFailure,
}: SqliteCallListsOptions): CallListRepository & { close(): void } {
  const database = openDatabase(path, { migrations: MIGRATIONS, busyTimeoutMs: 10 });
  const insert = database.prepare("INSERT OR REPLACE INTO call_fragments VALUES (?, ?, ?, ?, ?, ?)");
  const select = database.prepare(
    `SELECT started_at, call, kind, elements FROM call_fragments WHERE canonical = ? AND expires_at > ?
     ORDER BY started_at DESC, call, kind LIMIT ?`,
  );
  const removeOld = database.prepare("DELETE FROM call_fragments WHERE canonical = ? AND started_at < ?");
  const sweep = database.prepare(
    `DELETE FROM call_fragments WHERE (canonical, started_at, call, kind) IN
     (SELECT canonical, started_at, call, kind FROM call_fragments WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
  );
  let sweptAt = Number.NEGATIVE_INFINITY;

  /** A disk that fails or another process that holds the file too long. */
  function attempt<T>(work: () => T): T | Unavailable {
    try {
      return work();
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec("ROLLBACK");
      onFailure(error);
      return UNAVAILABLE;
    }
  }

  function sweepAway(now: number): void {
    if (now - sweptAt < SWEEP_MS) return;
    // A full sweep has left some.
    if (Number(sweep.run(now).changes) < SWEEP_ROWS) sweptAt = now;
  }

  return {
    async add({ canonical, fragments }): Promise<"written" | Unavailable> {
      return attempt(() => {
        const now = clock.now();
        const expiresAt = now + ttlSeconds * 1_000;
        database.exec("BEGIN IMMEDIATE");
        for (const { startedAt, call, kind, elements } of fragments)
          insert.run(canonical, startedAt, call, kind, elements, expiresAt);
        sweepAway(now);
        database.exec("COMMIT");
        return "written";
      });
    },
    async find(canonical, limit): Promise<readonly StoredFragment[] | Unavailable> {
      return attempt(() =>
        select.all(canonical, clock.now(), limit).map((row) => ({
          startedAt: Number(row["started_at"]),
          call: String(row["call"]),
          kind: row["kind"] as StoredFragment["kind"],
          elements: String(row["elements"]),
        })),
      );
    },
    async removeBefore(canonical, startedAt): Promise<"removed" | Unavailable> {
      return attempt(() => {
        removeOld.run(canonical, startedAt);
        return "removed";
      });
    },
    close: () => database.close(),
  };
}
