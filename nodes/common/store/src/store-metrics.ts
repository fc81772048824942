import { type Clock, LATENCY_SECONDS, type MetricsRegister } from "@ims/runtime";
import type { CassandraSession, ExecuteResult, SessionCounters } from "./cassandra/session.ts";
import type { KvStore } from "./kv-store.ts";
import { TimedStore } from "./timed-store.ts";

export interface StoreMetricsOptions {
  readonly register: MetricsRegister;
  readonly clock: Clock;
  /** First part of the metric names, `ims_<node>`. */
  readonly prefix: string;
}

/** The same store; how long its operations take is at `<prefix>_memcached_seconds`, how they end at `<prefix>_memcached_operations_total`. */
export function measuredMemcached(store: KvStore, { register, clock, prefix }: StoreMetricsOptions): KvStore {
  const operation = ["get", "put", "delete"] as const;
  const seconds = register.histogram({
    name: `${prefix}_memcached_seconds`,
    help: "How long operations on memcached take, by operation, all replicas and retries included",
    labels: { operation },
    buckets: LATENCY_SECONDS,
  });
  const operations = register.counter({
    name: `${prefix}_memcached_operations_total`,
    help: "Operations on memcached by how they ended",
    labels: { operation, outcome: ["found", "notFound", "stored", "contention", "unavailable"] },
  });
  return new TimedStore(store, clock, (operation, outcome, ms) => {
    seconds.observe({ operation }, ms / 1000);
    operations.inc({ operation, outcome });
  });
}

const COUNTERS = [
  ["requests", "Statements sent to Cassandra"],
  ["unavailable", "Statements that Cassandra did not answer in time"],
  ["hedged", "Statements tried on another node because the first was slow"],
] as const satisfies readonly (readonly [keyof SessionCounters, string])[];

/** The same session; how long statements take is at `<prefix>_cassandra_seconds`, how many there were at `<prefix>_cassandra_*_total`. */
export function measuredCassandra(
  session: CassandraSession,
  { register, clock, prefix }: StoreMetricsOptions,
): CassandraSession {
  for (const [name, help] of COUNTERS)
    register.gauge({
      name: `${prefix}_cassandra_${name}_total`,
      help,
      type: "counter",
      value: () => session.counters[name],
    });
  const seconds = register.histogram({
    name: `${prefix}_cassandra_seconds`,
    help: "How long statements take at Cassandra, one by one or several as a batch, tries at other nodes included",
    labels: { kind: ["statement", "batch"], outcome: ["rows", "unavailable"] },
    buckets: LATENCY_SECONDS,
  });
  const timed = (kind: "statement" | "batch", run: () => Promise<ExecuteResult>): Promise<ExecuteResult> => {
    const begun = clock.monotonic();
    const result = run();
    result.then(
      ({ kind: outcome }) => seconds.observe({ kind, outcome }, (clock.monotonic() - begun) / 1000),
      () => undefined, // parameters that do not fit: the caller's own promise says so
    );
    return result;
  };
  return {
    keyspace: session.keyspace,
    get isAvailable() {
      return session.isAvailable;
    },
    get counters() {
      return session.counters;
    },
    execute: (statement, params, options) =>
      timed("statement", () => session.execute(statement, params, options)),
    batch: (entries, options) => timed("batch", () => session.batch(entries, options)),
    shutdown: () => session.shutdown(),
  };
}
