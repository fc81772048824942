import { join } from "node:path";
import { CassandraNode } from "./cassandra-node.ts";
import type { NodeConfiguration } from "./configuration.ts";
import { type CassandraInstallation, cassandraInstallation } from "./installation.ts";

/** The name that SimpleSnitch gives to the only data centre. */
export const CASSANDRA_DATA_CENTER = "datacenter1";

export interface CassandraClusterOptions {
  /** One node on each: loopback addresses of their own. */
  readonly hosts: readonly string[];
  /** Data, commit logs and logs, one folder a node below it; nodes go on with what they find. Absolute. */
  readonly folder: string;
  /** The data centre of each, in the same order. Default: one for all. */
  readonly dataCenters?: readonly string[] | undefined;
  readonly cqlPort?: number;
  readonly storagePort?: number;
  /** Heap of each node; it takes about 250 MB besides. */
  readonly heapMb?: number;
  readonly installation?: CassandraInstallation;
  /** TLS with clients: the files of the node on this address. */
  readonly tls?: (host: string) => NodeConfiguration["tls"];
}

/** A small Cassandra cluster of processes on this machine. */
export class CassandraCluster {
  readonly nodes: readonly CassandraNode[];

  /** @throws Error that says what to install. */
  constructor(options: CassandraClusterOptions) {
    const { hosts, folder, cqlPort = 9042, storagePort = 7000, heapMb = 256 } = options;
    const installation = options.installation ?? cassandraInstallation();
    this.nodes = hosts.map((host, index) => {
      const dataCenter = options.dataCenters?.[index];
      const tls = options.tls?.(host);
      const secure = tls === undefined ? {} : { tls };
      const configuration = {
        ...{ host, hosts, folder: join(folder, host), dataCenter, cqlPort, storagePort },
        ...secure,
      };
      return new CassandraNode(installation, configuration, heapMb);
    });
  }

  /** host:port of every node, for a client. */
  get contactPoints(): string[] {
    return this.nodes.map(({ host, cqlPort }) => `${host}:${cqlPort}`);
  }

  /** How many copies a keyspace should keep: all that three nodes can hold. */
  get replicationFactor(): number {
    return Math.min(3, this.nodes.length);
  }

  /** Starts every node that does not run; resolves when all answer CQL and see each other. */
  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    await this.waitUntilReady();
  }

  async waitUntilReady(): Promise<void> {
    const hosts = this.nodes.map(({ host }) => host);
    await Promise.all(
      this.nodes.map(async (node) => {
        await node.waitUntilReady();
        await node.waitUntilSeen(hosts);
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** SIGKILL to all: quick, and nothing acknowledged is lost. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}
