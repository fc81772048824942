import { join } from "node:path";
import { makeFolder, type ServiceModules } from "@ims/runtime";
import { measuredCassandra, openCassandra, openStoresTls, replicationOf, storeProblems } from "@ims/store";
import { HomerError } from "../errors.ts";
import type { HomerOptions } from "../options.ts";
import { homerProblems } from "../problems.ts";
import type { CallListRepository } from "./call-list-repository.ts";
import { CALL_LIST_SCHEMA, CassandraCallLists } from "./cassandra-call-lists.ts";
import { CassandraSimservs, SIMSERVS_SCHEMA } from "./cassandra-simservs.ts";
import type { SimservsRepository } from "./simservs-repository.ts";
import { sqliteCallLists } from "./sqlite-call-lists.ts";
import { sqliteSimservs } from "./sqlite-simservs.ts";

export interface Repositories {
  readonly repository: SimservsRepository;
  /** Undefined: nobody asked for call lists. */
  readonly callLists: CallListRepository | undefined;
  stop(): Promise<void>;
}

/** Documents and call lists: of a pool in Cassandra, of one homer in its state directory. Throws HomerError, StoreError, CassandraError. */
export async function openRepository(options: HomerOptions, modules: ServiceModules): Promise<Repositories> {
  const { clock, log, health, register } = modules;
  const ttlSeconds = options.callListTtl;
  if (options.cassandra.length === 0) {
    const { stateDir } = options;
    makeStateDir(stateDir);
    const repository = sqliteSimservs(join(stateDir, "simservs.db"), (error) =>
      log.error(
        { err: error, problemId: homerProblems.documentsUnreadable.id },
        "simservs documents cannot be read or written",
      ),
    );
    const callLists = options.callLists
      ? sqliteCallLists({
          path: join(stateDir, "call-lists.db"),
          ...{ ttlSeconds, clock },
          onFailure: (error) =>
            log.error(
              { err: error, problemId: homerProblems.documentsUnreadable.id },
              "call lists cannot be read or written",
            ),
        })
      : undefined;
    return {
      ...{ repository, callLists },
      stop: async () => {
        repository.close();
        callLists?.close();
      },
    };
  }
  const tls = openStoresTls(options, modules, "ims_homer");
  const opened = await openCassandra({
    tls: tls.cassandra,
    contactPoints: options.cassandra,
    keyspace: options.cassandraKeyspace,
    localDataCenter: options.cassandraDatacenter,
    ...replicationOf(options),
    schemas: [SIMSERVS_SCHEMA, ...(options.callLists ? [CALL_LIST_SCHEMA] : [])],
    clock,
    log,
  });
  const session = measuredCassandra(opened, { register, clock, prefix: "ims_homer" });
  health.addNote(
    "cassandra",
    () => (session.isAvailable ? undefined : "Cassandra does not answer"),
    storeProblems.cassandraAway,
  );
  return {
    repository: new CassandraSimservs(session),
    callLists: options.callLists ? new CassandraCallLists(session, ttlSeconds) : undefined,
    stop: async () => {
      await session.shutdown();
      tls.stop();
    },
  };
}

function makeStateDir(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    const problem = "it cannot be made or written to";
    throw new HomerError({ code: "HOMER_FILE", option: "--state-dir", file: folder, problem }, { cause });
  }
}
