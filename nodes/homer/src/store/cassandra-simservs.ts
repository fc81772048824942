import { randomUUID } from "node:crypto";
import { type CassandraSession, type Row, type Schema, type Statement, wasApplied } from "@ims/store";
import {
  type Simservs,
  type SimservsRemoval,
  type SimservsRepository,
  type SimservsWrite,
  UNAVAILABLE,
  type Unavailable,
} from "./simservs-repository.ts";

/** The table, alike whoever of the pool comes first. */
export const SIMSERVS_SCHEMA: Schema = {
  component: "simservs",
  migrations: [
    {
      name: "simservs documents",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.simservs (
           canonical text PRIMARY KEY,
           document text,
           version text
         ) WITH comment = 'supplementary services (TS 24.623) by public identity' AND speculative_retry = '25ms'`,
      ],
    },
  ],
};

/** Whoever asks gives up after 2 s. */
const READ_MS = 1_000;
/** Of a transaction, and of its second try: the first may have been lost on its way, or applied without a word. */
const CHANGE_MS = [1_000, 800];

// All may be sent twice, early or late: conditions on versions that are never used again.
const statement = (cql: string): Statement => ({ cql, idempotent: true });
const select = statement("SELECT document, version FROM keyspace.simservs WHERE canonical = ?");
const insert = statement(
  "INSERT INTO keyspace.simservs (canonical, document, version) VALUES (?, ?, ?) IF NOT EXISTS",
);
const update = statement(
  "UPDATE keyspace.simservs SET document = ?, version = ? WHERE canonical = ? IF version = ?",
);
const remove = statement("DELETE FROM keyspace.simservs WHERE canonical = ? IF version = ?");

/** Simservs documents in Cassandra. */
export class CassandraSimservs implements SimservsRepository {
  readonly #session: CassandraSession;

  constructor(session: CassandraSession) {
    this.#session = session;
  }

  async find(canonical: string): Promise<Simservs | undefined | Unavailable> {
    const result = await this.#session.execute(select, [canonical], { deadlineMs: READ_MS });
    if (result.kind !== "rows") return UNAVAILABLE;
    const [row] = result.rows;
    const document = row?.["document"];
    const version = row?.["version"];
    return typeof document === "string" && typeof version === "string" ? { document, version } : undefined;
  }

  async put(canonical: string, document: string, before: string | undefined): Promise<SimservsWrite> {
    const version = randomUUID();
    // Refused at the second try because of the success of the first.
    const ours = (row: Row): boolean => row["version"] === version;
    const result =
      before === undefined
        ? await this.#change(insert, [canonical, document, version], ours)
        : await this.#change(update, [document, version, canonical, before], ours);
    return result === "applied" ? { kind: "written", version } : { kind: result };
  }

  async remove(canonical: string, before: string): Promise<SimservsRemoval> {
    // Sent twice, the second try meets no row: gone is gone.
    const gone = (row: Row): boolean => Object.keys(row).length <= 1;
    const result = await this.#change(remove, [canonical, before], gone);
    return { kind: result === "applied" ? "removed" : result };
  }

  async #change(
    change: Statement,
    params: readonly unknown[],
    ours: (row: Row) => boolean,
  ): Promise<"applied" | "overtaken" | "unavailable"> {
    for (const deadlineMs of CHANGE_MS) {
      const result = await this.#session.execute(change, params, { deadlineMs });
      if (result.kind !== "rows") continue;
      const [row = {}] = result.rows;
      return wasApplied(result.rows) || ours(row) ? "applied" : "overtaken";
    }
    return "unavailable";
  }
}
