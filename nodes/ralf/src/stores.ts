import { join } from "node:path";
import type { ServiceModules } from "@ims/runtime";
import {
  type CalendarStore,
  cassandraCalendar,
  cassandraStore,
  type KvStore,
  measuredCassandra,
  measuredMemcached,
  memcachedStore,
  openCassandra,
  openStoresTls,
  parseServers,
  replicationOf,
  STORE_SCHEMA,
  sqliteCalendar,
  sqliteStore,
  storeProblems,
} from "@ims/store";
import { RalfError } from "./errors.ts";
import type { RalfOptions } from "./options.ts";

/** Where charging sessions are: shared by a pool, or in the state directory of one ralf. */
export interface Stores {
  readonly sessions: KvStore;
  readonly calendar: CalendarStore;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws RalfError, StoreError and CassandraError for what will not do. */
export async function openStores(options: RalfOptions, modules: ServiceModules): Promise<Stores> {
  const { clock, log, health, pacer, register } = modules;
  if (options.cassandra.length === 0) {
    if (options.memcached.length > 0)
      throw new RalfError(
        { code: "RALF_STORES", problem: "--memcached needs --cassandra" },
        { message: "--memcached needs --cassandra: dates of sessions must outlive a ralf" },
      );
    const sessions = sqliteStore({
      path: join(options.stateDir, "charging-sessions.db"),
      clock,
      busyTimeoutMs: 10,
    });
    const calendar = sqliteCalendar({ path: join(options.stateDir, "charging-calendar.db"), clock });
    return {
      sessions,
      calendar,
      start: async () => undefined,
      stop: async () => {
        calendar.close();
        sessions.close();
      },
    };
  }
  const tls = openStoresTls(options, modules, "ims_ralf");
  const opened = await openCassandra({
    tls: tls.cassandra,
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    ...replicationOf(options),
    schemas: [STORE_SCHEMA],
    clock,
    log,
  });
  const session = measuredCassandra(opened, { register, clock, prefix: "ims_ralf" });
  const calendar = cassandraCalendar({ session, clock });
  health.addNote(
    "cassandra",
    () => (session.isAvailable ? undefined : "Cassandra does not answer"),
    storeProblems.cassandraAway,
  );
  if (options.memcached.length === 0)
    return {
      sessions: cassandraStore(session),
      calendar,
      start: async () => undefined,
      stop: async () => {
        await session.shutdown();
        tls.stop();
      },
    };
  const servers = parseServers(options.memcached.join(","));
  const sessions = memcachedStore({ servers, clock, log, pacer, tls: tls.memcached });
  const away = (): number => sessions.servers().filter(({ up }) => !up).length;
  health.addNote("memcached", () => (away() > 0 ? `${away()} servers away` : undefined));
  health.alarms.watch(storeProblems.memcachedServerAway, () =>
    sessions.servers().flatMap(({ id, up }) => (up ? [] : [{ object: id, text: "does not answer" }])),
  );
  return {
    sessions: measuredMemcached(sessions, { register, clock, prefix: "ims_ralf" }),
    calendar,
    start: () => sessions.start(),
    stop: async () => {
      await sessions.stop();
      await session.shutdown();
      tls.stop();
    },
  };
}
