import type { BatchEntry, CassandraSession, Schema, Statement } from "@ims/store";
import { BOTH_WITHIN_MS } from "./cassandra-moved-sets.ts";
import type {
  DurableReadResult,
  DurableRegistrations,
  DurableWriteResult,
  PartitionWrite,
} from "./durable-registrations.ts";
import type { Scope } from "./moved-sets.ts";

/**
 * A row is always written whole, with the stamp of its change as timestamp: the highest stamp wins in whatever order writes
 * arrive. Most partitions are a head and one binding, rewritten twice an hour: levelled compaction keeps a read to one file.
 * gc_grace: a node that was away longer than three days is rebuilt, not repaired.
 */
export const REGISTRATION_SCHEMA: Schema = {
  component: "registration",
  migrations: [
    {
      name: "registration",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.registration (name text, item text, stamp bigint, value blob, PRIMARY KEY (name, item))
         WITH speculative_retry = '25ms' AND gc_grace_seconds = 259200 AND compaction = {'class': 'LeveledCompactionStrategy'}`,
      ],
    },
    {
      name: "moved",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.moved (site text, slot int, at timestamp, key text, origin text, base bigint,
         PRIMARY KEY ((site, slot), at, key, origin))
         WITH speculative_retry = '25ms' AND gc_grace_seconds = 10800 AND compaction = {'class': 'TimeWindowCompactionStrategy',
         'compaction_window_unit': 'HOURS', 'compaction_window_size': '6'}`,
      ],
    },
  ],
};

// All at local-quorum, the default: what one member was told is stored is read by every other while one of three replicas is away.
const READ: Statement = {
  cql: "SELECT item, stamp, value FROM keyspace.registration WHERE name = ?",
  idempotent: true,
};
/** What the other site has acknowledged is read too, also while it is still on its way here. */
const READ_BOTH: Statement = { ...READ, consistency: "each-quorum" };
const PUT: Statement = {
  cql: "INSERT INTO keyspace.registration (name, item, stamp, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
  idempotent: true,
};
const REMOVE: Statement = {
  cql: "DELETE FROM keyspace.registration USING TIMESTAMP ? WHERE name = ? AND item = ?",
  idempotent: true,
};
const CLEAR: Statement = {
  cql: "DELETE FROM keyspace.registration USING TIMESTAMP ? WHERE name = ?",
  idempotent: true,
};
const NOW: Statement = {
  cql: "SELECT toUnixTimestamp(now()) AS now FROM system.local",
  idempotent: true,
  consistency: "local-one",
};

/** Rows of a partition that cannot be a set any more. */
const MAX_ROWS = 5000;
const NOW_WITHIN_MS = 500;
/** A UE waits for this: long enough for a second and a third node to be asked. */
const DEADLINE_MS = 1_000;

/** Registrations of a cluster. */
export class CassandraRegistrations implements DurableRegistrations {
  readonly #session: CassandraSession;

  constructor({ session }: { readonly session: CassandraSession }) {
    this.#session = session;
  }

  async read(partition: string, scope: Scope = "here"): Promise<DurableReadResult> {
    const both = scope === "both";
    const result = await this.#session.execute(both ? READ_BOTH : READ, [partition], {
      pageRows: MAX_ROWS,
      deadlineMs: both ? BOTH_WITHIN_MS : DEADLINE_MS,
    });
    if (result.kind === "unavailable") return result;
    return {
      kind: "found",
      rows: result.rows.map((row) => ({
        item: String(row["item"]),
        value: row["value"] instanceof Uint8Array ? row["value"] : new Uint8Array(),
        stamp: Number(row["stamp"]),
      })),
    };
  }

  /** A partition is one batch: it is written as a whole. */
  async write(writes: readonly PartitionWrite[]): Promise<DurableWriteResult> {
    const results = await Promise.all(
      writes.map((write) => {
        const entries = entriesOf(write);
        const [only] = entries;
        if (only === undefined) return { kind: "rows" } as const;
        return entries.length === 1
          ? this.#session.execute(only.statement, only.params, { deadlineMs: DEADLINE_MS })
          : this.#session.batch(entries, { deadlineMs: DEADLINE_MS });
      }),
    );
    for (const result of results) if (result.kind === "unavailable") return result;
    return { kind: "stored" };
  }

  async now(): Promise<number | undefined> {
    const result = await this.#session.execute(NOW, [], { deadlineMs: NOW_WITHIN_MS });
    const now = result.kind === "rows" ? Number(result.rows[0]?.["now"]) : Number.NaN;
    return Number.isFinite(now) ? now : undefined;
  }
}

function entriesOf({ partition, stamp, puts, removes, clearedTo }: PartitionWrite): BatchEntry[] {
  const timestamp = BigInt(stamp);
  const entries: BatchEntry[] = [];
  if (clearedTo !== undefined) entries.push({ statement: CLEAR, params: [BigInt(clearedTo), partition] });
  for (const item of removes) entries.push({ statement: REMOVE, params: [timestamp, partition, item] });
  for (const { item, value, ttlSeconds } of puts) {
    const ttl = Math.min(ttlSeconds, LONGEST_TTL_SECONDS);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    entries.push({ statement: PUT, params: [partition, item, timestamp, bytes, timestamp, ttl] });
  }
  return entries;
}

/** Cassandra takes no more than twenty years. */
const LONGEST_TTL_SECONDS = 19 * 365 * 86_400;
