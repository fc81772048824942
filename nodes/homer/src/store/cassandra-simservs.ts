import { randomUUID } from "node:crypto";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";
import type { Simservs, SimservsRepository, SimservsWrite } from "../simservs-repository.ts";
import { type Cql, statement, text } from "./cql.ts";

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
  readonly #cql: Cql;

  constructor(cql: Cql) {
    this.#cql = cql;
  }

  async find(canonical: string): Promise<Simservs | undefined | Unavailable> {
    const rows = await this.#cql.read(select, [canonical]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const document = rows[0] && text(rows[0], "document");
    const version = rows[0] && text(rows[0], "version");
    return document === undefined || version === undefined ? undefined : { document, version };
  }

  async put(canonical: string, document: string, before: string | undefined): Promise<SimservsWrite> {
    const version = randomUUID();
    const result =
      before === undefined
        ? await this.#cql.change(
            insert,
            [canonical, document, version],
            (row) => text(row, "version") === version,
          )
        : await this.#cql.change(
            update,
            [document, version, canonical, before],
            (row) => text(row, "version") === version,
          );
    if (result.kind === "applied") return { kind: "written", version };
    return result.kind === "refused" ? { kind: "overtaken" } : result;
  }

  async remove(
    canonical: string,
    before: string,
  ): Promise<Exclude<SimservsWrite, { kind: "written" }> | { kind: "removed" }> {
    // Sent twice, the second try meets no row: gone is gone.
    const gone = (row: object): boolean => Object.keys(row).length === 1;
    const result = await this.#cql.change(remove, [canonical, before], gone);
    if (result.kind === "applied") return { kind: "removed" };
    return result.kind === "refused" ? { kind: "overtaken" } : result;
  }
}
