import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { CassandraNode, cassandraInstallation } from "@ims/tidewater";
import { fastFolder } from "../../support/cassandra.ts";
import { type MemcachedProcess, startMemcached } from "../../support/memcached.ts";

const CASSANDRA_HOST = "127.0.0.9";
const CASSANDRA_HEAP_MB = 1024;
const MEMCACHED_MB = 8192;

/** The stores of a pool on this machine: two memcacheds, which have two copies of everything, and a Cassandra node with one. */
export interface PoolStores {
  readonly memcacheds: readonly MemcachedProcess[];
  /** What `tidewater up` is told of them. */
  readonly args: readonly string[];
  /** Ends Cassandra so that all of it is in its files, and tells the size of those of each keyspace and table, bytes. */
  weigh(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startStores(): Promise<PoolStores> {
  const folder = mkdtempSync(join(fastFolder(), "memory-bench-"));
  const data = join(folder, "cassandra");
  const configuration = {
    ...{ host: CASSANDRA_HOST, hosts: [CASSANDRA_HOST], folder: data },
    ...{ cqlPort: 9042, storagePort: 7000 },
  };
  const memcacheds: MemcachedProcess[] = [];
  let node: CassandraNode | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(memcacheds.map((memcached) => memcached.kill()));
    await node?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    node = new CassandraNode(cassandraInstallation(), configuration, CASSANDRA_HEAP_MB);
    node.start();
    for (const host of ["127.0.0.10", "127.0.0.11"])
      memcacheds.push(await startMemcached({ host, megabytes: MEMCACHED_MB }));
    await node.waitUntilReady();
  } catch (error) {
    await stop();
    throw error;
  }
  const running = node;
  const contact = `${CASSANDRA_HOST}:9042`;
  return {
    memcacheds,
    args: [
      ...["--set", `sprout.memcached=${memcacheds.map(({ id }) => id).join()}`],
      ...["--set", `sprout.cassandra=${contact}`, "--set", `homestead.cassandra=${contact}`],
    ],
    weigh: async () => {
      await running.stop();
      return sizesIn(join(data, "data"));
    },
    stop,
  };
}

/** Bytes of the files of each table, `keyspace.table`. */
function sizesIn(folder: string): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const [keyspace, table] = entry.parentPath.slice(folder.length + 1).split("/");
    const name = `${keyspace}.${table?.replace(/-[0-9a-f]{32}$/, "")}`;
    sizes[name] = (sizes[name] ?? 0) + statSync(join(entry.parentPath, entry.name)).size;
  }
  return sizes;
}
