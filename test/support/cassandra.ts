import { randomInt } from "node:crypto";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CassandraCluster, cassandraInstallation } from "@ims/tidewater";

/** Why Cassandra cannot run here; undefined: it can. */
export function whyNoCassandra(): string | undefined {
  try {
    cassandraInstallation();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface CassandraUnderTest {
  readonly cluster: CassandraCluster;
  /** host:port of every node. */
  readonly contactPoints: readonly string[];
  readonly replicationFactor: number;
  /** Ends the nodes and removes what they wrote. */
  stop(): Promise<void>;
}

/**
 * Starts real Cassandra nodes on loopback addresses of their own; one takes about 5 s and two cores, three about 10 s. `dataCenters`:
 * that of each; default: one for all.
 */
export async function launchCassandra(
  nodes = 1,
  { dataCenters }: { readonly dataCenters?: readonly string[] } = {},
): Promise<CassandraUnderTest> {
  const folder = mkdtempSync(join(fastFolder(), "cassandra-"));
  const network = `127.${randomInt(130, 220)}.${randomInt(1, 250)}`;
  const cluster = new CassandraCluster({
    hosts: Array.from({ length: nodes }, (_, i) => `${network}.${i + 1}`),
    folder,
    dataCenters,
  });
  const stop = async (): Promise<void> => {
    await cluster.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await cluster.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const { contactPoints, replicationFactor } = cluster;
  return { cluster, contactPoints, replicationFactor, stop };
}

/** Nodes write their commit log through before they acknowledge; in memory that costs nothing and outlives a kill -9 as well. */
export function fastFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
