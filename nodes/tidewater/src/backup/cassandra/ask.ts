import {
  CassandraError,
  type CassandraSession,
  type ExecuteResult,
  type Row,
  type Statement,
} from "@ims/store";
import { storeFault } from "../errors.ts";

/** A page of a large table, and a cluster that is busy, take their time. */
const DEADLINE_MS = 15_000;
const TRIES = 5;
const PAUSE_MS = 500;

/** Cassandra for a program that can wait: what is idempotent is asked again, and what fails is an error. */
export class Ask {
  readonly session: CassandraSession;

  constructor(session: CassandraSession) {
    this.session = session;
  }

  /** Everything in one page. */
  async rows(cql: string, params: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.page({ cql, idempotent: true }, params)).rows;
  }

  /** @throws BackupError BACKUP_STORE when Cassandra refuses or goes on not to answer. */
  async page(
    statement: Statement,
    params: readonly unknown[],
    options: { readonly page?: string; readonly pageRows?: number } = {},
  ): Promise<Extract<ExecuteResult, { kind: "rows" }>> {
    for (let tried = 1; ; tried++) {
      const result = await this.session.execute(statement, params, { ...options, deadlineMs: DEADLINE_MS });
      if (result.kind === "rows") return result;
      const { cause } = result;
      const isRefused = cause instanceof CassandraError && cause.detail.code === "CASSANDRA_STATEMENT";
      if (isRefused || tried === TRIES) throw storeFault("Cassandra", cause.message, cause);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tried));
    }
  }

  /** A change of the schema: waits until all nodes know it. */
  async change(cql: string): Promise<void> {
    await this.page({ cql, idempotent: true, schema: true }, []);
  }
}
