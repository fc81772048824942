/** One CQL statement. Write it once, as a constant: it is prepared by its text. */
export interface Statement {
  /** `keyspace.` before the name of a table stands for the keyspace of the session. Values as `?`. */
  readonly cql: string;
  /**
   * Executing it twice does no harm, also late and also after somebody else wrote: a read, a write with a timestamp of its own,
   * a condition on a version that nobody uses again. Only such a statement is tried on a second node.
   */
  readonly idempotent: boolean;
  /**
   * Default "local-quorum": two of three replicas, so one may be away and an acknowledged write is always seen.
   * "local-serial", for reads: finishes a condition (`IF`) that is under way and sees its outcome. "local-one": whatever
   * one node holds. "each-quorum", for reads: what was acknowledged in any data centre; unavailable while one of them is away.
   */
  readonly consistency?: "local-quorum" | "local-serial" | "local-one" | "each-quorum";
  /** A schema change: not prepared, tried on one node only, and waits until all nodes know it. */
  readonly schema?: true;
}

/**
 * A row by column name. bigint columns are JavaScript bigints, in and out; int is number, blob Buffer, timestamp Date,
 * uuid prints with toString(). An absent value is null.
 */
export type Row = Readonly<Record<string, unknown>>;

export type ExecuteResult =
  | {
      readonly kind: "rows";
      readonly rows: readonly Row[];
      /** There are more: give it as `page` to the same statement. */
      readonly nextPage?: string;
      /** On how many nodes the statement may have been executed. */
      readonly tries: number;
    }
  /** Nothing is known about a write: it may have happened, it may still happen. */
  | { readonly kind: "unavailable"; readonly cause: Error };

export interface ExecuteOptions {
  /** How long the caller waits, retries included. Default: that of the session. */
  readonly deadlineMs?: number;
  /** Rows of a page; default 5000. */
  readonly pageRows?: number;
  readonly page?: string;
}

export interface BatchEntry {
  readonly statement: Statement;
  readonly params: readonly unknown[];
}

/** Plain counts since the start. */
export interface SessionCounters {
  readonly requests: number;
  readonly unavailable: number;
  /** Second and third tries on another node because the one before was slow. */
  readonly hedged: number;
}

/** A connection to the cluster. Never rejects for an outage, reconnects by itself, and takes requests from the first moment on. */
export interface CassandraSession {
  readonly keyspace: string;
  /** Connected, with the schema in place, and some node is up. */
  readonly isAvailable: boolean;
  readonly counters: SessionCounters;
  execute(statement: Statement, params: readonly unknown[], options?: ExecuteOptions): Promise<ExecuteResult>;
  /**
   * Several writes as one request. All rows of one partition are written together or not at all; a batch over several
   * partitions gives no such promise. Tried on a second node when every statement is idempotent.
   */
  batch(entries: readonly BatchEntry[], options?: ExecuteOptions): Promise<ExecuteResult>;
  /** Closes all connections; afterwards everything is unavailable. */
  shutdown(): Promise<void>;
}

/** Whether a statement with a condition (`IF`) took effect. */
export function wasApplied(rows: readonly Row[]): boolean {
  return rows[0]?.["[applied]"] === true;
}
