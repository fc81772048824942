import { type CassandraSession, type Row, type Statement, wasApplied } from "@ims/store";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";

export type { Row, Statement };

/** How a lightweight transaction ended. `row`: what the condition met; empty when there is no row. */
export type CasResult =
  | { readonly kind: "applied" }
  | { readonly kind: "refused"; readonly row: Row }
  | { readonly kind: "unavailable" };

/** A read and a transaction, one after the other: a Cx request is answered within 2 s, whatever happens. */
const READ_DEADLINE_MS = 800;
const CHANGE_DEADLINE_MS = 1000;

/**
 * A statement that may be sent twice, early or late. All of ours may: reads, and conditions on versions and operations
 * that are never used again.
 */
export function statement(cql: string): Statement {
  return { cql, idempotent: true };
}

/** A read that also settles transactions whose outcome nobody was told. */
export function settlingRead(cql: string): Statement {
  return { cql, idempotent: true, consistency: "local-serial" };
}

/** The statements of subscribers: deadlines of Cx, outages as values. */
export class Cql {
  readonly #session: CassandraSession;
  readonly #isOpen: () => boolean;

  /** While `isOpen` says no, everything is unavailable. */
  constructor(session: CassandraSession, isOpen: () => boolean = () => true) {
    this.#session = session;
    this.#isOpen = isOpen;
  }

  async read(statement: Statement, params: readonly unknown[]): Promise<readonly Row[] | Unavailable> {
    if (!this.#isOpen()) return UNAVAILABLE;
    const result = await this.#session.execute(statement, params, { deadlineMs: READ_DEADLINE_MS });
    return result.kind === "rows" ? result.rows : UNAVAILABLE;
  }

  /** All rows, page by page. */
  async readAll(statement: Statement): Promise<readonly Row[] | Unavailable> {
    const rows: Row[] = [];
    let page: string | undefined;
    if (!this.#isOpen()) return UNAVAILABLE;
    do {
      const options = { deadlineMs: READ_DEADLINE_MS, ...(page === undefined ? {} : { page }) };
      const result = await this.#session.execute(statement, [], options);
      if (result.kind !== "rows") return UNAVAILABLE;
      rows.push(...result.rows);
      page = result.nextPage;
    } while (page !== undefined);
    return rows;
  }

  /**
   * A lightweight transaction. It may be sent twice, so that one that is refused may be one that was applied before:
   * `ours` says so, from the row that the condition met.
   */
  async change(
    statement: Statement,
    params: readonly unknown[],
    ours: (row: Row) => boolean,
  ): Promise<CasResult> {
    if (!this.#isOpen()) return { kind: "unavailable" };
    const result = await this.#session.execute(statement, params, { deadlineMs: CHANGE_DEADLINE_MS });
    if (result.kind !== "rows") return { kind: "unavailable" };
    const [row = {}] = result.rows;
    return wasApplied(result.rows) || ours(row) ? { kind: "applied" } : { kind: "refused", row };
  }
}

/** A column of text; null and absent are one. */
export function text(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
}
