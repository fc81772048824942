import type { CoreTls, ServiceModules } from "@ims/runtime";
import { measuredCassandra, openCassandra, replicationOf, storeProblems } from "@ims/store";
import { CassandraRepository } from "./hss/cassandra/cassandra-repository.ts";
import { Cql } from "./hss/cassandra/cql.ts";
import { provePoolKey } from "./hss/cassandra/pool-key.ts";
import { subscriberSchema } from "./hss/cassandra/schema.ts";
import { type Condition, StoreGate } from "./hss/cassandra/store-gate.ts";
import type { Sealing } from "./hss/sealing.ts";
import type { SubscriberRepository } from "./hss/subscriber-repository.ts";
import type { HomesteadOptions } from "./options.ts";
import { homesteadProblems } from "./problems.ts";

const LOG_EVERY_MS = 1000;
/** The first homestead of a new cluster makes the tables, which takes some seconds. */
const CONNECT_WITHIN_MS = 15_000;

/**
 * The subscribers that a pool of homesteads shares in Cassandra. While Cassandra is away everything is unavailable, and
 * nothing has to be started again when it comes back. `acceptable` judges what is stored before any of it is served.
 * Throws HomesteadError and CassandraError for what will not do.
 */
export async function openPooledSubscribers(
  options: HomesteadOptions,
  modules: ServiceModules & { readonly coreTls?: CoreTls | undefined },
  key: { readonly sealing: Sealing; readonly file: string },
  acceptable: (subscribers: SubscriberRepository) => Promise<"proven" | "unavailable">,
): Promise<SubscriberRepository> {
  const { clock, log, health, register, coreTls } = modules;
  const opened = await openCassandra({
    tls: options.cassandraTls ? coreTls?.clientOptions() : undefined,
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    ...replicationOf(options),
    schemas: [subscriberSchema],
    connectWithinMs: CONNECT_WITHIN_MS,
    clock,
    log,
  });
  const session = measuredCassandra(opened, { register, clock, prefix: "ims_homestead" });
  const { sealing } = key;
  const failed = failureLog(modules);
  const unguarded = new Cql(session, { failed });
  const conditions: Condition[] = [
    () => provePoolKey(unguarded, sealing, key.file),
    () => acceptable(new CassandraRepository(unguarded, { cacheSize: 1 }, { sealing, clock })),
  ];
  const gate = new StoreGate(conditions, { clock, log });
  const cql = new Cql(session, { isOpen: () => gate.isOpen, failed });
  const repository = new CassandraRepository(
    cql,
    { cacheSize: options.cacheSize },
    {
      sealing,
      clock,
      close: async () => {
        gate.stop();
        await session.shutdown();
      },
    },
  );
  try {
    await gate.start();
  } catch (error) {
    await repository.close();
    throw error;
  }
  const problem = (): string | undefined => (session.isAvailable ? gate.reason : "Cassandra does not answer");
  health.addCheck("subscribers", problem, homesteadProblems.subscribersUnavailable);
  register.gauge({
    name: "ims_homestead_subscribers_decoded",
    help: "Subscribers kept decoded in memory",
    value: () => repository.cached,
  });
  return repository;
}

/** One line a second: an outage fails every statement. */
function failureLog({ clock, log }: ServiceModules): (cause: Error) => void {
  let next = Number.NEGATIVE_INFINITY;
  return (cause) => {
    const now = clock.monotonic();
    if (now < next) return;
    next = now + LOG_EVERY_MS;
    log.warn(
      { reason: cause.message, problemId: storeProblems.statementUnanswered.id },
      "Cassandra did not answer a statement",
    );
  };
}
