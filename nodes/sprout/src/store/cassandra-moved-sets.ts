import type { CassandraSession, Statement } from "@ims/store";
import type { DurableWriteResult } from "./durable-registrations.ts";
import {
  MOVED_SECONDS,
  type Moved,
  type MovedResult,
  type MovedSets,
  type Scope,
  slotOf,
} from "./moved-sets.ts";

const ADD: Statement = {
  cql: "INSERT INTO keyspace.moved (site, slot, at, key, origin, base) VALUES (?, ?, ?, ?, ?, ?) USING TTL ?",
  idempotent: true,
};
const READ_HERE: Statement = {
  cql: "SELECT at, key, origin, base FROM keyspace.moved WHERE site = ? AND slot = ? AND at > ?",
  idempotent: true,
};
const READ_BOTH: Statement = { ...READ_HERE, consistency: "each-quorum" };
/** A UE waits for what is told. */
const ADD_WITHIN_MS = 1_000;
/** Longer than the way between two sites takes and back. */
export const BOTH_WITHIN_MS = 500;

/** In the cluster that both sites have. */
export class CassandraMovedSets implements MovedSets {
  readonly #session: CassandraSession;

  constructor({ session }: { readonly session: CassandraSession }) {
    this.#session = session;
  }

  async add(to: string, { key, by, at, base }: Moved): Promise<DurableWriteResult> {
    const params = [to, slotOf(at), new Date(at), key, by, BigInt(base), MOVED_SECONDS];
    const result = await this.#session.execute(ADD, params, { deadlineMs: ADD_WITHIN_MS });
    return result.kind === "unavailable" ? result : { kind: "stored" };
  }

  async read(of: string, slot: number, since: number, scope: Scope): Promise<MovedResult> {
    const moved: Moved[] = [];
    const [statement, within] =
      scope === "both" ? [READ_BOTH, { deadlineMs: BOTH_WITHIN_MS }] : [READ_HERE, {}];
    let page: string | undefined;
    do {
      const options = page === undefined ? within : { ...within, page };
      const result = await this.#session.execute(statement, [of, slot, new Date(since)], options);
      if (result.kind === "unavailable") return result;
      for (const row of result.rows)
        moved.push({
          key: String(row["key"]),
          by: String(row["origin"]),
          at: (row["at"] as Date).getTime(),
          base: Number(row["base"]),
        });
      page = result.nextPage;
    } while (page !== undefined);
    return { kind: "found", moved };
  }
}
