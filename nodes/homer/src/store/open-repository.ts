import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ServiceModules } from "@ims/runtime";
import { openCassandra } from "@ims/store";
import { HomerError } from "../errors.ts";
import type { HomerOptions } from "../options.ts";
import { CassandraSimservs, SIMSERVS_SCHEMA } from "./cassandra-simservs.ts";
import type { SimservsRepository } from "./simservs-repository.ts";
import { sqliteSimservs } from "./sqlite-simservs.ts";

const MAX_COPIES = 3;

/** The documents: of a pool in Cassandra, of one homer in its state directory. Throws HomerError, StoreError, CassandraError. */
export async function openRepository(
  options: HomerOptions,
  { clock, log, health }: ServiceModules,
): Promise<{ readonly repository: SimservsRepository; stop(): Promise<void> }> {
  if (options.cassandra.length === 0) {
    const { stateDir } = options;
    makeFolder(stateDir);
    const repository = sqliteSimservs(join(stateDir, "simservs.db"), (error) =>
      log.error({ err: error }, "simservs documents cannot be read or written"),
    );
    return { repository, stop: async () => repository.close() };
  }
  const session = await openCassandra({
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    replicationFactor: options.cassandraReplicationFactor || Math.min(MAX_COPIES, options.cassandra.length),
    schemas: [SIMSERVS_SCHEMA],
    clock,
    log,
  });
  health.addNote("cassandra", () => (session.isAvailable ? undefined : "Cassandra does not answer"));
  return { repository: new CassandraSimservs(session), stop: () => session.shutdown() };
}

/** Level by level: Node's recursive mkdir never returns where a directory exists but takes no new ones (/proc). */
function makeFolder(folder: string): void {
  const missing: string[] = [];
  const path = resolve(folder);
  for (let level = path; !existsSync(level) && dirname(level) !== level; level = dirname(level))
    missing.unshift(level);
  try {
    for (const level of missing) mkdirSync(level, { mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const problem = "it cannot be made or written to";
    throw new HomerError({ code: "HOMER_FILE", option: "--state-dir", file: folder, problem }, { cause });
  }
}
