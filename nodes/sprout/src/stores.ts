import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, CoreTls, ServiceModules } from "@ims/runtime";
import {
  cassandraCalendar,
  cassandraStore,
  fallbackStore,
  type KvStore,
  measuredCassandra,
  memoryStore,
  openCassandra,
  replicationOf,
  STORE_SCHEMA,
  scopedStore,
  sqliteStore,
  storeProblems,
} from "@ims/store";
import { SproutError } from "./errors.ts";
import type { SproutOptions } from "./options.ts";
import { sproutProblems } from "./problems.ts";
import type { SproutParts } from "./sprout.ts";
import { CassandraMovedSets } from "./store/cassandra-moved-sets.ts";
import { CassandraRegistrations, REGISTRATION_SCHEMA } from "./store/cassandra-registrations.ts";
import { openMemcached } from "./store/open-memcached.ts";
import { PoolClock } from "./store/pool-clock.ts";
import { SqliteRegistrations } from "./store/sqlite-registrations.ts";

/** The stores of one sprout, as its options name them. */
export interface Stores extends Pick<SproutParts, "store" | "challenges" | "durable"> {
  /** Time as the pool has it. */
  readonly clock: Clock;
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Durable = NonNullable<SproutParts["durable"]>;

interface Part {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Registrations and challenges: in memcached when a pool shares one, else in Cassandra, else in memory. Their durable copy: in Cassandra, else in the
 * state directory, else none. Throws SproutError, StoreError and CassandraError for what will not do.
 */
export async function openStores(
  options: SproutOptions,
  modules: ServiceModules & { readonly coreTls?: CoreTls | undefined },
): Promise<Stores> {
  const parts: Part[] = [];
  const { clock } = modules;
  if (usesMemcached(options) && options.stateDir !== "" && options.cassandra.length === 0)
    throw new SproutError({
      code: "SPROUT_STORES",
      problem:
        "--memcached and --memcached-file are for a pool: its durable copy is in --cassandra, --state-dir is for one sprout alone",
    });
  if (options.site !== "" && options.cassandra.length === 0)
    throw new SproutError({
      code: "SPROUT_STORES",
      problem: "--site is for a core over two sites: they share registrations in --cassandra",
    });
  const store = usesMemcached(options) ? openMemcached(options, modules, parts) : memoryStore({ clock });
  const shared = { start: () => startAll(parts), stop: () => stopAll(parts) };
  if (options.cassandra.length > 0) {
    const { durable, poolClock, kv } = await openCluster(options, modules, parts);
    // Without memcached the members of a pool work on Cassandra alone: slower, and nothing is in one process only.
    if (!usesMemcached(options)) return { store: kv, durable, clock: poolClock, ...shared };
    return { store, challenges: fallbackStore(store, kv), durable, clock: poolClock, ...shared };
  }
  if (options.stateDir !== "") {
    const durable = openFiles(options, modules, parts);
    return { store, durable, clock, ...shared };
  }
  return { store, clock, ...shared };
}

function usesMemcached({ memcached, memcachedFile }: SproutOptions): boolean {
  return memcached.length > 0 || memcachedFile !== "";
}

async function openCluster(
  options: SproutOptions,
  modules: ServiceModules & { readonly coreTls?: CoreTls | undefined },
  parts: Part[],
): Promise<{ durable: Durable; poolClock: PoolClock; kv: KvStore }> {
  const { clock, log, health, register, coreTls } = modules;
  const opened = await openCassandra({
    tls: options.cassandraTls && coreTls !== undefined ? coreTls.clientOptions() : undefined,
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    ...replicationOf(options),
    schemas: [STORE_SCHEMA, REGISTRATION_SCHEMA],
    clock,
    log,
  });
  const session = measuredCassandra(opened, { register, clock, prefix: "ims_sprout" });
  const rows = new CassandraRegistrations({ session });
  const poolClock = new PoolClock(clock, () => rows.now());
  parts.push({
    start: () => poolClock.start(),
    stop: async () => {
      poolClock.stop();
      await session.shutdown();
    },
  });
  const away = (): string | undefined => (session.isAvailable ? undefined : "Cassandra does not answer");
  // With registrations in memcached the node serves on: what cannot be written durably is written later, or refused.
  if (usesMemcached(options)) health.addNote("cassandra", away, storeProblems.cassandraAway);
  else health.addCheck("cassandra", away, storeProblems.cassandraAway);
  const clockProblem = (): string | undefined => {
    const seconds = Math.round(poolClock.correction / 1000);
    return seconds === 0 ? undefined : `this machine's is ${-seconds} s off the store's, which counts`;
  };
  health.addNote("clock", clockProblem, sproutProblems.clockDiffers);
  register.gauge({
    name: "ims_sprout_clock_correction_seconds",
    help: "By how much the time of the pool differs from this machine's",
    value: () => poolClock.correction / 1000,
  });
  // Conditions are decided at this site: nothing that is written under one is the other's as well.
  const kv = scopedStore(cassandraStore(session), options.site);
  const calendar = cassandraCalendar({ session, clock: poolClock });
  const site =
    options.site === "" ? undefined : { name: options.site, moved: new CassandraMovedSets({ session }) };
  const durable = { rows, calendar, writes: options.durableWrites, leases: kv, cursors: kv, site };
  return { durable, poolClock, kv };
}

/** One process, so nobody else asks for a lease; it is taken anew with each start. */
function openFiles(options: SproutOptions, { clock, register }: ServiceModules, parts: Part[]): Durable {
  const folder = options.stateDir;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SproutError({ code: "SPROUT_STATE_DIR", folder, problem: "cannot be made" }, { cause });
  }
  const rows = new SqliteRegistrations({ path: join(folder, "registrations.db"), clock });
  const cursors = sqliteStore({ path: join(folder, "registration-cursors.db"), clock, busyTimeoutMs: 10 });
  parts.push({
    start: () => Promise.resolve(),
    async stop() {
      cursors.close();
      await rows.close();
    },
  });
  register.gauge({
    name: "ims_sprout_registration_rows",
    help: "Rows of the file of registrations",
    value: () => rows.size,
  });
  return {
    rows,
    calendar: rows.calendar,
    writes: options.durableWrites,
    volatile: true,
    leases: memoryStore({ clock }),
    cursors,
  };
}

async function startAll(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map((part) => part.start()));
}

async function stopAll(parts: readonly Part[]): Promise<void> {
  for (const part of [...parts].reverse()) await part.stop();
}
