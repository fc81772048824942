import type { Logger } from "@ims/runtime";
import { storeProblems } from "../problems.ts";
import { CassandraError } from "./errors.ts";

/** Copies of each row by data centre (NetworkTopologyStrategy). */
export type Replication = ReadonlyMap<string, number>;

/** One data centre of --cassandra-replication. The name goes into a statement as it is. */
export const COPIES = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,47}):([1-9])$/;

/** Nobody needs more for a quorum that outlives one node. */
const MOST_COPIES = 3;

/**
 * How many copies a keyspace is to have: by data centre, or in the only one. Throws CassandraError CASSANDRA_SCHEMA when a data centre
 * is named twice, or that of this node not at all.
 */
export function replicationOf(options: {
  readonly cassandra: readonly string[];
  readonly cassandraKeyspace: string;
  readonly cassandraDatacenter: string;
  readonly cassandraReplication: readonly string[];
  readonly cassandraReplicationFactor: number;
}): { readonly replicationFactor: number } | { readonly replication: Replication } {
  const { cassandraReplication: given, cassandraDatacenter: own } = options;
  if (given.length === 0)
    return {
      replicationFactor:
        options.cassandraReplicationFactor || Math.min(MOST_COPIES, options.cassandra.length),
    };
  const refused = (problem: string): CassandraError =>
    new CassandraError({
      code: "CASSANDRA_SCHEMA",
      keyspace: options.cassandraKeyspace,
      problem: `--cassandra-replication ${given.join(",")}: ${problem}`,
    });
  const replication = new Map<string, number>();
  for (const one of given) {
    const [, name, copies] = COPIES.exec(one) ?? [];
    if (name === undefined) throw refused(`${one} is not name:copies`);
    if (replication.has(name)) throw refused(`${name} twice`);
    replication.set(name, Number(copies));
  }
  if (!replication.has(own))
    throw refused(`${own}, the data centre of this node (--cassandra-datacenter), is not among them`);
  return { replication };
}

/** As a statement has it. */
export function replicationText(replication: Replication): string {
  const copies = [...replication].map(([name, number]) => `'${name}': ${number}`);
  return `{'class': 'NetworkTopologyStrategy', ${copies.join(", ")}}`;
}

/**
 * Compares what a keyspace has with what it should have. Returns why nothing could be read or written with it, with the remedy; other
 * differences are logged: an operator who adds or takes away a site changes the keyspace first.
 */
export function checkReplication(
  keyspace: string,
  found: unknown,
  wanted: Replication,
  localDataCenter: string,
  log: Logger | undefined,
): string | undefined {
  const has = new Map<string, number>();
  if (typeof found === "object" && found !== null)
    for (const [name, copies] of Object.entries(found)) if (name !== "class") has.set(name, Number(copies));
  const same = has.size === wanted.size && [...wanted].every(([name, copies]) => has.get(name) === copies);
  if (same) return undefined;
  const remedy = `ALTER KEYSPACE ${keyspace} WITH replication = ${replicationText(wanted)}; then nodetool rebuild in a new data centre, nodetool repair --full elsewhere`;
  if ((has.get(localDataCenter) ?? 0) === 0)
    return `no copies are kept in ${localDataCenter}, where this node reads and writes: ${remedy}`;
  log?.warn(
    { keyspace, found: Object.fromEntries(has), remedy, problemId: storeProblems.replicationDiffers.id },
    "the keyspace has other copies than --cassandra-replication says",
  );
  return undefined;
}
