import type { Clock, Logger, Timer } from "@ims/runtime";
import type { ConnectOptions } from "./driver-session.ts";
import type { Schema } from "./migrate.ts";
import { OpeningSession } from "./opening-session.ts";
import type { Replication } from "./replication.ts";
import type { CassandraSession } from "./session.ts";

const CONNECT_WITHIN_MS = 5000;

export interface OpenCassandraOptions {
  /** host:port of some nodes; names are resolved again when no node is left. */
  readonly contactPoints: readonly string[];
  readonly keyspace: string;
  readonly clock: Clock;
  readonly log?: Logger;
  /** Default "datacenter1". */
  readonly localDataCenter?: string;
  /** Brought up to date before the first request is let through; undefined: nothing is made or looked at. */
  readonly schemas?: readonly Schema[];
  /** Copies of each row, when the keyspace has to be created. Default: 3, or as many as there are nodes. */
  readonly replicationFactor?: number;
  /** Copies of each row by data centre: takes the place of `replicationFactor`, and a keyspace that is there is compared with it. */
  readonly replication?: Replication;
  /** Of a request, retries included. Default 2000. */
  readonly deadlineMs?: number;
  /** How long to wait for the cluster before going on without. Default 5000. */
  readonly connectWithinMs?: number;
  readonly credentials?: ConnectOptions["credentials"];
  /** See `cassandraTls`. Default: in the clear. */
  readonly tls?: ConnectOptions["tls"];
}

/**
 * Connects and brings the schema up to date. When the cluster is away the session comes back all the same, unavailable, and
 * goes on trying. Rejects with CassandraError CASSANDRA_SCHEMA when the schema is newer than this program or not ours, and
 * when the name of the data centre is wrong; found later, that keeps the session unavailable and is said in the log.
 */
export async function openCassandra(options: OpenCassandraOptions): Promise<CassandraSession> {
  const session = new OpeningSession(options);
  let late: Timer | undefined;
  const patience = new Promise<void>((resolve) => {
    late = options.clock.setTimer(options.connectWithinMs ?? CONNECT_WITHIN_MS, resolve);
  });
  try {
    await Promise.race([session.opened, patience]);
  } catch (error) {
    await session.shutdown();
    throw error;
  } finally {
    late?.cancel();
  }
  return session;
}
