import { createHash, randomUUID } from "node:crypto";
import type { Clock, Logger } from "@ims/runtime";
import { CassandraError } from "./errors.ts";
import { checkReplication, type Replication, replicationText } from "./replication.ts";
import {
  type CassandraSession,
  type ExecuteResult,
  type Row,
  type Statement,
  wasApplied,
} from "./session.ts";

/** Brings the tables of a component from one version to the next. Once released it is never edited. */
export interface Migration {
  readonly name: string;
  /**
   * Schema changes, each with IF (NOT) EXISTS: a node may die between two of them, and the next one starts again with the first.
   * `keyspace.` stands for the keyspace of the session.
   */
  readonly statements: readonly string[];
}

/** The tables of one component; migration n (from 1) makes version n. */
export interface Schema {
  readonly component: string;
  readonly migrations: readonly Migration[];
}

export interface MigrateOptions {
  readonly schemas: readonly Schema[];
  readonly clock: Clock;
  readonly log?: Logger;
  readonly localDataCenter?: string;
  /** Copies of each row, when the keyspace has to be created. Default 3. */
  readonly replicationFactor?: number;
  /** The same by data centre; what a keyspace has that is there already is compared with it. */
  readonly replication?: Replication;
}

export type MigrateResult =
  /** How many migrations this call applied; others may have applied the rest. */
  | { readonly kind: "migrated"; readonly applied: number }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** A holder that dies keeps the others waiting for this long at most. It is renewed before each statement. */
const LEASE_SECONDS = 30;
const LOOK_AGAIN_MS = 200;
const GIVE_UP_MS = 120_000;
/** A Cassandra node hears a little later of what another one has created: it gets this long. */
const HEARD_WITHIN_MS = 10_000;
const UNHEARD_OF = /does(n't| not) exist|unconfigured table|unknown keyspace/i;

const TABLE_EXISTS: Statement = {
  cql: "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name IN ('schema_version', 'schema_lease')",
  idempotent: true,
  consistency: "local-one",
};
const REPLICATION: Statement = {
  cql: "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?",
  idempotent: true,
  consistency: "local-one",
};
const VERSIONS: Statement = {
  cql: "SELECT version, name, checksum FROM keyspace.schema_version WHERE component = ?",
  idempotent: true,
};
const RECORD: Statement = {
  cql: "INSERT INTO keyspace.schema_version (component, version, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS",
  idempotent: true,
};
const TAKE_LEASE: Statement = {
  cql: `INSERT INTO keyspace.schema_lease (name, holder) VALUES ('schema', ?) IF NOT EXISTS USING TTL ${LEASE_SECONDS}`,
  idempotent: true,
};
const RENEW_LEASE: Statement = {
  cql: `UPDATE keyspace.schema_lease USING TTL ${LEASE_SECONDS} SET holder = ? WHERE name = 'schema' IF holder = ?`,
  idempotent: true,
};
const DROP_LEASE: Statement = {
  cql: "DELETE FROM keyspace.schema_lease WHERE name = 'schema' IF holder = ?",
  idempotent: true,
};

/** The cluster is away: a way out of the steps below. */
class Away extends Error {}

/**
 * Creates the keyspace and brings every schema up to date. Several nodes may do so at once: one at a time holds a lease, and
 * each migration is applied once. @throws CassandraError CASSANDRA_SCHEMA for a schema that is newer than this program, a migration
 * that was edited after it was applied, and a statement that Cassandra refuses.
 */
export async function migrate(session: CassandraSession, options: MigrateOptions): Promise<MigrateResult> {
  for (const { component, migrations } of options.schemas)
    for (const { name, statements } of migrations)
      for (const statement of statements)
        if (!/\bIF (NOT )?EXISTS\b/.test(statement))
          throw new CassandraError({
            code: "CASSANDRA_SCHEMA",
            keyspace: session.keyspace,
            problem: `${component} ${name}: a statement without IF (NOT) EXISTS cannot be repeated: ${statement}`,
          });
  try {
    return { kind: "migrated", applied: await new Migrator(session, options).run() };
  } catch (error) {
    if (error instanceof Away) return { kind: "unavailable", cause: error.cause as Error };
    throw error;
  }
}

class Migrator {
  readonly #session: CassandraSession;
  readonly #options: MigrateOptions;
  readonly #holder = randomUUID();

  constructor(session: CassandraSession, options: MigrateOptions) {
    this.#session = session;
    this.#options = options;
  }

  async run(): Promise<number> {
    await this.#createBookkeeping();
    const { clock, schemas } = this.#options;
    const deadline = clock.monotonic() + GIVE_UP_MS;
    while ((await this.#missing(schemas)).length > 0) {
      if (await this.#takeLease()) {
        try {
          return await this.#applyMissing();
        } finally {
          await this.#session.execute(DROP_LEASE, [this.#holder]);
        }
      }
      if (clock.monotonic() > deadline)
        throw new Away("", {
          cause: new CassandraError({
            code: "CASSANDRA_AWAY",
            problem: "another node holds the schema lease",
          }),
        });
      await this.#pause();
    }
    return 0;
  }

  /** Before there is a lease: several programs at once may do this. */
  async #createBookkeeping(): Promise<void> {
    const { keyspace } = this.#session;
    const { localDataCenter = "datacenter1", replicationFactor = 3, replication, log } = this.#options;
    if (replication !== undefined) {
      const [row] = await this.#execute(REPLICATION, [keyspace]);
      const problem =
        row && checkReplication(keyspace, row["replication"], replication, localDataCenter, log);
      if (problem !== undefined) throw this.#refusal(problem);
    }
    if ((await this.#execute(TABLE_EXISTS, [keyspace])).length === 2) return;
    const copies = replication ?? new Map([[localDataCenter, replicationFactor]]);
    log?.info({ keyspace, copies: Object.fromEntries(copies) }, "creating the keyspace unless it exists");
    await this.#change(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${replicationText(copies)}`,
      keyspace,
    );
    await this.#change(
      `CREATE TABLE IF NOT EXISTS keyspace.schema_version (component text, version int, name text, checksum text, applied_at timestamp,
       PRIMARY KEY (component, version)) WITH speculative_retry = '25ms'`,
      "schema_version",
    );
    await this.#change(
      "CREATE TABLE IF NOT EXISTS keyspace.schema_lease (name text PRIMARY KEY, holder text) WITH speculative_retry = '25ms'",
      "schema_lease",
    );
  }

  /** What is not recorded yet; refuses what is recorded otherwise. */
  async #missing(
    schemas: readonly Schema[],
  ): Promise<{ schema: Schema; version: number; migration: Migration }[]> {
    const missing: { schema: Schema; version: number; migration: Migration }[] = [];
    for (const schema of schemas) {
      const rows = await this.#execute(VERSIONS, [schema.component]);
      const recorded = new Map(rows.map((row) => [Number(row["version"]), row]));
      const newest = Math.max(0, ...recorded.keys());
      if (newest > schema.migrations.length)
        throw this.#refusal(
          `${schema.component} has version ${newest}, newer than this program's ${schema.migrations.length}`,
        );
      for (const [index, migration] of schema.migrations.entries()) {
        const row = recorded.get(index + 1);
        if (row === undefined) missing.push({ schema, version: index + 1, migration });
        else this.#checkSame(schema.component, migration, row);
      }
    }
    return missing;
  }

  #checkSame(component: string, migration: Migration, row: Row): void {
    if (row["checksum"] === checksumOf(migration)) return;
    throw this.#refusal(
      `${component} ${Number(row["version"])} (${migration.name}) differs from what was applied as ${String(row["name"])}`,
    );
  }

  async #applyMissing(): Promise<number> {
    const missing = await this.#missing(this.#options.schemas);
    for (const { schema, version, migration } of missing) {
      for (const statement of migration.statements) {
        const renewed = await this.#execute(RENEW_LEASE, [this.#holder, this.#holder]);
        if (!wasApplied(renewed))
          throw new Away("", {
            cause: new CassandraError({ code: "CASSANDRA_AWAY", problem: "the schema lease was lost" }),
          });
        await this.#change(statement, `${schema.component}.${version}`);
      }
      const now = new Date(this.#options.clock.now());
      const params = [schema.component, version, migration.name, checksumOf(migration), now];
      const [row] = await this.#execute(RECORD, params);
      if (row?.["[applied]"] !== true && row !== undefined) this.#checkSame(schema.component, migration, row);
      this.#options.log?.info(
        { component: schema.component, version, migration: migration.name },
        "schema migrated",
      );
    }
    return missing.length;
  }

  async #takeLease(): Promise<boolean> {
    const rows = await this.#execute(TAKE_LEASE, [this.#holder]);
    return wasApplied(rows) || rows[0]?.["holder"] === this.#holder;
  }

  async #change(cql: string, origin: string): Promise<void> {
    const identified = withIdentity(cql, `${this.#session.keyspace}.${origin}`);
    await this.#execute({ cql: identified, idempotent: true, schema: true }, []);
  }

  async #execute(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + HEARD_WITHIN_MS;
    for (;;) {
      const result: ExecuteResult = await this.#session.execute(statement, params);
      if (result.kind === "rows") return result.rows;
      const { cause } = result;
      if (!(cause instanceof CassandraError) || cause.detail.code !== "CASSANDRA_STATEMENT")
        throw new Away(cause.message, { cause });
      const { problem } = cause.detail;
      if (!UNHEARD_OF.test(problem) || clock.monotonic() > deadline) throw this.#refusal(problem, cause);
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setTimer(LOOK_AGAIN_MS, resolve);
    });
  }

  #refusal(problem: string, cause?: Error): CassandraError {
    return new CassandraError(
      { code: "CASSANDRA_SCHEMA", keyspace: this.#session.keyspace, problem },
      { cause },
    );
  }
}

function checksumOf({ statements }: Migration): string {
  return createHash("sha256").update(statements.join(";\n")).digest("hex");
}

/**
 * Gives a new table an identity that depends on nothing but its origin. Without, a table that two Cassandra nodes create before
 * they hear of each other, or one creates again after the first died over it, is two tables of one name.
 */
function withIdentity(cql: string, origin: string): string {
  const table = /^\s*CREATE TABLE IF NOT EXISTS keyspace\.(\w+)/.exec(cql)?.[1];
  if (table === undefined) return cql;
  const id = `WITH id = ${uuidOf(`${origin}.${table}`)}`;
  return /\)\s*WITH\s/.test(cql) ? cql.replace(/(\)\s*)WITH\s/, `$1${id} AND `) : `${cql} ${id}`;
}

/** A UUID that every node makes of the same name (version 8, RFC 9562 §5.8). */
function uuidOf(name: string): string {
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
