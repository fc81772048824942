import { randomInt } from "node:crypto";
import { checkPut } from "../check-put.ts";
import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
} from "../kv-store.ts";
import { CassandraError } from "./errors.ts";
import { KeyQueue } from "./key-queue.ts";
import {
  type CassandraSession,
  type ExecuteResult,
  type Row,
  type Statement,
  wasApplied,
} from "./session.ts";

const GET: Statement = {
  cql: "SELECT live, value, version, lineage FROM keyspace.entry WHERE owner = ? AND key = ?",
  idempotent: true,
};
/** Finishes what is under way, so its answer is final. */
const GET_SERIAL: Statement = {
  cql: "SELECT live, version, lineage FROM keyspace.entry WHERE owner = ? AND key = ?",
  idempotent: true,
  consistency: "local-serial",
};
const SET =
  "UPDATE keyspace.entry USING TTL ? SET live = ?, value = ?, version = ?, lineage = ? WHERE owner = ? AND key = ?";
/** Idempotent because of the version: nobody uses it again, and no condition holds once it is there. */
const PUT_ABSENT: Statement = { cql: `${SET} IF live = null`, idempotent: true };
const PUT_OVER: Statement = { cql: `${SET} IF version = ?`, idempotent: true };

/** Cassandra rejects lifetimes of more than 20 years, older releases those that end after 2038. */
const LONGEST_TTL_SECONDS = 10 * 365 * 86_400;
/** How long a deleted entry leaves its marker: longer than a coordinator may be frozen and then execute a late request. */
const MARKER_TTL_SECONDS = 3600;
/** Stands for "no entry" where a version is told. */
const ABSENT = 0;
/** How many writes back an entry names its predecessors: as many as may happen between a try and the next one. */
const LINEAGE = 12;
/** Versions read of which the predecessors are kept in mind. */
const LINEAGES = 4096;
/** Rounds of a delete without a version: each one lost means that somebody wrote meanwhile. */
const DELETE_ROUNDS = 10;

const STORED: PutResult = { kind: "stored" };
const CONTENTION: PutResult = { kind: "contention" };

/**
 * The store of a cluster. Every write is a lightweight transaction on one row, so two sprouts never lose an update to each
 * other. Lifetimes end by the clocks of the Cassandra nodes. A write whose outcome cannot be found out is unavailable: it may
 * have happened.
 */
export class CassandraStore implements KvStore {
  readonly #session: CassandraSession;
  readonly #queue = new KeyQueue();
  /** Versions that writers of this process replaced while others of them waited for the same key. */
  readonly #overtaken = new Map<string, Set<number>>();
  readonly #lineages = new Map<number, readonly bigint[]>();
  /** Counts on from a random start: handles of other processes do not give the same numbers. */
  #lastVersion = randomInt(2 ** 47) * 16;

  constructor(session: CassandraSession) {
    this.#session = session;
  }

  async get(table: string, key: string): Promise<GetResult> {
    const result = await this.#session.execute(GET, [table, key]);
    if (result.kind === "unavailable") return result;
    const [row] = result.rows;
    if (row?.["live"] !== true) return { kind: "notFound" };
    const version = versionOf(row) ?? ABSENT;
    this.#remember(version, lineageOf(row));
    return { kind: "found", value: row["value"] as Uint8Array, version: asVersion(version) };
  }

  async put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    const fault = checkPut(table, value, options.ttlSeconds);
    if (fault !== undefined) throw fault;
    const { ifVersion } = options;
    // An entry written in the middle of a second lives until n seconds after that second began: one more makes it at least n.
    const ttl = Math.min(LONGEST_TTL_SECONDS, Math.floor(options.ttlSeconds) + 1);
    const copy = Buffer.from(value);
    return this.#alone(table, key, () =>
      this.#write(table, key, ttl, copy, ifVersion === "absent" ? ABSENT : ifVersion),
    );
  }

  async delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    const { ifVersion } = options ?? {};
    return this.#alone(table, key, async () => {
      if (ifVersion !== undefined) return this.#write(table, key, MARKER_TTL_SECONDS, undefined, ifVersion);
      for (let round = 0; round < DELETE_ROUNDS; round++) {
        const read = await this.#session.execute(GET_SERIAL, [table, key]);
        if (read.kind === "unavailable") return read;
        const [row] = read.rows;
        if (row?.["live"] !== true) return STORED;
        const version = versionOf(row) ?? ABSENT;
        this.#remember(version, lineageOf(row));
        const deleted = await this.#write(table, key, MARKER_TTL_SECONDS, undefined, version);
        if (deleted.kind !== "contention") return deleted;
      }
      return CONTENTION;
    });
  }

  /** Writers of one process do not fight for a row: transactions at once on one row cost all of them time. */
  async #alone(table: string, key: string, work: () => Promise<PutResult>): Promise<PutResult> {
    const name = nameOf(table, key);
    try {
      return await this.#queue.run(name, work);
    } finally {
      if (!this.#queue.isBusy(name)) this.#overtaken.delete(name);
    }
  }

  #remember(version: number, lineage: readonly bigint[]): void {
    this.#lineages.delete(version);
    this.#lineages.set(version, lineage);
    for (const oldest of this.#lineages.keys()) {
      if (this.#lineages.size <= LINEAGES) return;
      this.#lineages.delete(oldest);
    }
  }

  /** `value` undefined leaves a marker. */
  async #write(
    table: string,
    key: string,
    ttl: number,
    value: Buffer | undefined,
    over: number,
  ): Promise<PutResult> {
    const name = nameOf(table, key);
    if (this.#overtaken.get(name)?.has(over)) return CONTENTION;
    const version = ++this.#lastVersion;
    const lineage = [BigInt(over), ...(this.#lineages.get(over) ?? [])].slice(0, LINEAGE);
    const live = value === undefined ? null : true;
    const params = [ttl, live, value ?? null, BigInt(version), lineage, table, key];
    const result =
      over === ABSENT
        ? await this.#session.execute(PUT_ABSENT, params)
        : await this.#session.execute(PUT_OVER, [...params, BigInt(over)]);
    const outcome = await this.#outcomeOf(result, table, key, version, over);
    if (outcome.kind === "stored" && over !== ABSENT) {
      const overtaken = this.#overtaken.get(name);
      if (overtaken === undefined) this.#overtaken.set(name, new Set([over]));
      else overtaken.add(over);
    }
    return outcome;
  }

  async #outcomeOf(
    result: ExecuteResult,
    table: string,
    key: string,
    version: number,
    over: number,
  ): Promise<PutResult> {
    if (result.kind === "unavailable") return result;
    if (wasApplied(result.rows)) return STORED;
    if (result.tries === 1) return CONTENTION;
    // A refusal of a second try may be due to the success of the first.
    const read = await this.#session.execute(GET_SERIAL, [table, key]);
    if (read.kind === "unavailable") return read;
    const [row] = read.rows;
    if (row === undefined) return unknownOutcome(table);
    const lineage = lineageOf(row);
    if (versionOf(row) === version || lineage.includes(BigInt(version))) return STORED;
    // A version has one successor, and it is not ours. Of a key that was absent: a delete may have come between, and then
    // what we wrote is gone in any case.
    return lineage.includes(BigInt(over)) ? CONTENTION : unknownOutcome(table);
  }
}

export function cassandraStore(session: CassandraSession): CassandraStore {
  return new CassandraStore(session);
}

function nameOf(table: string, key: string): string {
  return `${table.length}:${table}${key}`;
}

function versionOf(row: Row): number | undefined {
  const version = row["version"];
  return typeof version === "bigint" ? Number(version) : undefined;
}

function lineageOf(row: Row): readonly bigint[] {
  const lineage = row["lineage"];
  return Array.isArray(lineage) ? (lineage as bigint[]) : [];
}

function unknownOutcome(table: string): PutResult {
  return { kind: "unavailable", cause: new CassandraError({ code: "CASSANDRA_OUTCOME_UNKNOWN", table }) };
}
