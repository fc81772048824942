import { ImsError } from "@ims/runtime";

export type CassandraFault =
  /** No node can be asked. */
  | { readonly code: "CASSANDRA_AWAY"; readonly problem: string }
  | { readonly code: "CASSANDRA_DEADLINE"; readonly deadlineMs: number }
  /** The statement, its rights or its tables are wrong: trying again does not help. */
  | { readonly code: "CASSANDRA_STATEMENT"; readonly problem: string }
  /** A conditional write was tried twice and cannot be found again. */
  | { readonly code: "CASSANDRA_OUTCOME_UNKNOWN"; readonly table: string }
  /** The schema is newer than this program, was made by other migrations, or cannot be brought up to date. */
  | { readonly code: "CASSANDRA_SCHEMA"; readonly keyspace: string; readonly problem: string };

export class CassandraError extends ImsError<CassandraFault> {}
