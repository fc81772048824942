import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ServiceModules } from "@ims/runtime";
import { cassandraStore, type KvStore, openCassandra, STORE_SCHEMA, sqliteStore } from "@ims/store";
import { EllisError } from "../errors.ts";
import type { EllisOptions } from "../options.ts";

const MAX_COPIES = 3;

/** Where accounts are: of a pool in Cassandra, of one ellis in its state directory. Throws EllisError, StoreError, CassandraError. */
export async function openStore(
  options: EllisOptions,
  { clock, log, health }: ServiceModules,
): Promise<{ readonly store: KvStore; stop(): Promise<void> }> {
  if (options.cassandra.length === 0) {
    const store = sqliteStore({ path: join(options.stateDir, "ellis.db"), clock, busyTimeoutMs: 10 });
    return { store, stop: async () => store.close() };
  }
  const session = await openCassandra({
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    replicationFactor: options.cassandraReplicationFactor || Math.min(MAX_COPIES, options.cassandra.length),
    schemas: [STORE_SCHEMA],
    clock,
    log,
  });
  health.addNote("cassandra", () => (session.isAvailable ? undefined : "Cassandra does not answer"));
  return { store: cassandraStore(session), stop: () => session.shutdown() };
}

/** The state directory. Throws EllisError. Level by level: Node's recursive mkdir never returns where a directory exists but takes no new ones (/proc). */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  const path = resolve(folder);
  for (let level = path; !existsSync(level) && dirname(level) !== level; level = dirname(level))
    missing.unshift(level);
  try {
    for (const level of missing) mkdirSync(level, { mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const problem = "it cannot be made or written to";
    throw new EllisError({ code: "ELLIS_FILE", option: "--state-dir", file: folder, problem }, { cause });
  }
}
