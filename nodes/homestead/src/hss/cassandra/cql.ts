import {
  type CassandraSession,
  type ExecuteOptions,
  type ExecuteResult,
  type Row,
  type Statement,
  wasApplied,
} from "@ims/store";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";

export type { Row, Statement };

/** How a lightweight transaction ended. `row`: what the condition met; empty when there is no row. */
export type CasResult =
  | { readonly kind: "applied" }
  | { readonly kind: "refused"; readonly row: Row }
  | { readonly kind: "unavailable" };

type Deadlines = {
  readonly readMs: number;
  /** Of a transaction, and of its second try: the first may have been lost on its way, or applied without a word. */
  readonly changeMs: readonly number[];
};

/** A Cx client tries another homestead after a second, and gives up before two: no later than that it is answered. */
const CX: Deadlines = { readMs: 700, changeMs: [500, 400] };
/** Provisioning has to say within 2 s that the store is away, and may be slow while it is busy. */
const PROVISIONING: Deadlines = { readMs: 1500, changeMs: [1000, 800] };

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

export type CqlOptions = {
  /** While it says no, everything is unavailable. */
  readonly isOpen?: () => boolean;
  /** Told why a statement was not answered. */
  readonly failed?: (cause: Error) => void;
};

/** The statements of subscribers: deadlines of Cx, outages as values. */
export class Cql {
  readonly #session: CassandraSession;
  readonly #isOpen: () => boolean;
  readonly #failed: (cause: Error) => void;
  readonly #options: CqlOptions;
  readonly #deadlines: Deadlines;

  constructor(session: CassandraSession, options: CqlOptions = {}, deadlines: Deadlines = CX) {
    this.#session = session;
    this.#options = options;
    this.#deadlines = deadlines;
    this.#isOpen = options.isOpen ?? (() => true);
    this.#failed = options.failed ?? (() => undefined);
  }

  /** The same with the deadlines of provisioning. */
  patient(): Cql {
    return new Cql(this.#session, this.#options, PROVISIONING);
  }

  async read(statement: Statement, params: readonly unknown[]): Promise<readonly Row[] | Unavailable> {
    const result = await this.#execute(statement, params, { deadlineMs: this.#deadlines.readMs });
    return result === UNAVAILABLE ? UNAVAILABLE : result.rows;
  }

  /** All rows, page by page. */
  async readAll(statement: Statement): Promise<readonly Row[] | Unavailable> {
    const rows: Row[] = [];
    let page: string | undefined;
    do {
      const options = { deadlineMs: this.#deadlines.readMs, ...(page === undefined ? {} : { page }) };
      const result = await this.#execute(statement, [], options);
      if (result === UNAVAILABLE) return UNAVAILABLE;
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
    for (const deadlineMs of this.#deadlines.changeMs) {
      const result = await this.#execute(statement, params, { deadlineMs });
      if (result === UNAVAILABLE) continue;
      const [row = {}] = result.rows;
      return wasApplied(result.rows) || ours(row) ? { kind: "applied" } : { kind: "refused", row };
    }
    return { kind: "unavailable" };
  }

  async #execute(
    statement: Statement,
    params: readonly unknown[],
    options: ExecuteOptions,
  ): Promise<Extract<ExecuteResult, { kind: "rows" }> | Unavailable> {
    if (!this.#isOpen()) return UNAVAILABLE;
    const result = await this.#session.execute(statement, params, options);
    if (result.kind === "rows") return result;
    this.#failed(result.cause);
    return UNAVAILABLE;
  }
}

/** A column of text; null and absent are one. */
export function text(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
}
