import type { CassandraSession, Schema, Statement } from "@ims/store";
import type { CallListRepository, FragmentsOf, StoredFragment } from "./call-list-repository.ts";
import { UNAVAILABLE, type Unavailable } from "./simservs-repository.ts";

/** The table, alike whoever of the pool comes first. */
export const CALL_LIST_SCHEMA: Schema = {
  component: "call-lists",
  migrations: [
    {
      name: "fragments of calls",
      // Rows of a day are dropped together when the last of them has expired.
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.call_fragments (
           canonical text,
           started_at bigint,
           call text,
           kind text,
           elements text,
           PRIMARY KEY (canonical, started_at, call, kind)
         ) WITH CLUSTERING ORDER BY (started_at DESC, call ASC, kind ASC)
           AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}
           AND comment = 'call lists by public identity' AND speculative_retry = '25ms'`,
      ],
    },
  ],
};

const READ_MS = 2_000;
const WRITE_MS = 2_000;

const statement = (cql: string): Statement => ({ cql, idempotent: true });
const insert = statement(
  "INSERT INTO keyspace.call_fragments (canonical, started_at, call, kind, elements) VALUES (?, ?, ?, ?, ?) USING TTL ?",
);
const select = statement(
  "SELECT started_at, call, kind, elements FROM keyspace.call_fragments WHERE canonical = ? LIMIT ?",
);
const removeOld = statement("DELETE FROM keyspace.call_fragments WHERE canonical = ? AND started_at < ?");

/** Call lists in Cassandra. */
export class CassandraCallLists implements CallListRepository {
  readonly #session: CassandraSession;
  readonly #ttlSeconds: number;

  constructor(session: CassandraSession, ttlSeconds: number) {
    this.#session = session;
    this.#ttlSeconds = ttlSeconds;
  }

  async add({ canonical, fragments }: FragmentsOf): Promise<"written" | Unavailable> {
    // All rows of one partition: one write.
    const entries = fragments.map(({ startedAt, call, kind, elements }) => ({
      statement: insert,
      params: [canonical, BigInt(startedAt), call, kind, elements, this.#ttlSeconds],
    }));
    const result = await this.#session.batch(entries, { deadlineMs: WRITE_MS });
    return result.kind === "rows" ? "written" : UNAVAILABLE;
  }

  async find(canonical: string, limit: number): Promise<readonly StoredFragment[] | Unavailable> {
    const result = await this.#session.execute(select, [canonical, limit], { deadlineMs: READ_MS });
    if (result.kind !== "rows") return UNAVAILABLE;
    return result.rows.map((row) => ({
      startedAt: Number(row["started_at"]),
      call: String(row["call"]),
      kind: row["kind"] as StoredFragment["kind"],
      elements: String(row["elements"]),
    }));
  }

  async removeBefore(canonical: string, startedAt: number): Promise<"removed" | Unavailable> {
    const result = await this.#session.execute(removeOld, [canonical, BigInt(startedAt)], {
      deadlineMs: WRITE_MS,
    });
    return result.kind === "rows" ? "removed" : UNAVAILABLE;
  }
}
