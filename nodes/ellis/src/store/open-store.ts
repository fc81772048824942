import { join } from "node:path";
import { makeFolder, type ServiceModules } from "@ims/runtime";
import {
  cassandraStore,
  type KvStore,
  measuredCassandra,
  openCassandra,
  openStoresTls,
  replicationOf,
  STORE_SCHEMA,
  sqliteStore,
  storeProblems,
} from "@ims/store";
import { EllisError } from "../errors.ts";
import type { EllisOptions } from "../options.ts";

/** Where accounts are: of a pool in Cassandra, of one ellis in its state directory. Throws EllisError, StoreError, CassandraError. */
export async function openStore(
  options: EllisOptions,
  modules: ServiceModules,
): Promise<{ readonly store: KvStore; stop(): Promise<void> }> {
  const { clock, log, health, register } = modules;
  if (options.cassandra.length === 0) {
    const store = sqliteStore({ path: join(options.stateDir, "ellis.db"), clock, busyTimeoutMs: 10 });
    return { store, stop: async () => store.close() };
  }
  const tls = openStoresTls(options, modules, "ims_ellis");
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
  const session = measuredCassandra(opened, { register, clock, prefix: "ims_ellis" });
  health.addNote(
    "cassandra",
    () => (session.isAvailable ? undefined : "Cassandra does not answer"),
    storeProblems.cassandraAway,
  );
  return {
    store: cassandraStore(session),
    stop: async () => {
      await session.shutdown();
      tls.stop();
    },
  };
}

/** The state directory. Throws EllisError. */
export function makeStateDir(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    const problem = "it cannot be made or written to";
    throw new EllisError({ code: "ELLIS_FILE", option: "--state-dir", file: folder, problem }, { cause });
  }
}
