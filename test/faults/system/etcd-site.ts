import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ClusterDocument, EtcdClient, parseEndpoints } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { type EtcdCluster, startEtcdCluster } from "../../support/etcd.ts";
import { type MemcachedProcess, startMemcached } from "../../support/memcached.ts";

const PROGRAM = join(import.meta.dirname, "../../../etcd-cluster/bin/etcd-cluster.ts");
const DOCUMENT = "/tidewater/clusters/memcached/document";
const LOOK_EVERY_MS = 250;

/** A machine of a site as etcd-cluster sees it: the process beside its node or server. */
export interface Machine {
  readonly name: string;
  /** SIGTERM; resolves when it has ended: a memcached server is out of the list then. */
  leave(): Promise<void>;
  /** SIGKILL: its registration lapses. */
  kill(): void;
}

/** Three etcds and a process of etcd-cluster for each machine. */
export class EtcdSite {
  readonly etcd: EtcdCluster;
  readonly #client: EtcdClient;
  readonly #logFile: string;
  readonly #args: readonly string[];
  readonly #children: ChildProcess[] = [];
  readonly #servers: MemcachedProcess[] = [];
  readonly #onExit = (): void => {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const server of this.#servers) void server.kill();
    for (const member of this.etcd.members) void member.kill();
  };

  private constructor(etcd: EtcdCluster, logFile: string, args: readonly string[]) {
    this.etcd = etcd;
    this.#logFile = logFile;
    this.#args = args;
    this.#client = new EtcdClient({ endpoints: parseEndpoints(etcd.endpoints), clock: systemClock() });
    process.on("exit", this.#onExit);
  }

  /** `args`: further ones of every process. */
  static async start(folder: string, args: readonly string[]): Promise<EtcdSite> {
    return new EtcdSite(await startEtcdCluster(3), join(folder, "etcd-cluster.log"), args);
  }

  machine(pool: string, name: string, host: string, args: readonly string[] = []): Machine {
    const own = ["--etcd", this.etcd.endpoints, "--pool", pool, "--member", name, "--addresses", host];
    // A server that leaves waits until its entries are with others.
    const patience = ["--quiesce-seconds", "300"];
    const child = spawn(
      process.execPath,
      [...process.execArgv, PROGRAM, ...own, ...patience, ...this.#args, ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => appendFileSync(this.#logFile, text));
    this.#children.push(child);
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    return {
      name,
      async leave() {
        child.kill("SIGTERM");
        await ended;
      },
      kill: () => void child.kill("SIGKILL"),
    };
  }

  /** A new memcached on this address. */
  async memcached(host: string): Promise<MemcachedProcess> {
    const server = await startMemcached({ host, port: 11_211 });
    this.#servers.push(server);
    return server;
  }

  /** Resolves when exactly these servers are in force and nothing moves. */
  async inForce(hosts: readonly string[], within: number): Promise<void> {
    const wanted = hosts.map((host) => `${host}:11211 normal`).sort();
    const began = performance.now();
    for (let document: ClusterDocument | undefined; ; await delay(LOOK_EVERY_MS)) {
      const found = await this.#client.range({ key: DOCUMENT });
      const [entry] = found.kind === "found" ? found.entries : [];
      document = entry === undefined ? document : (JSON.parse(entry.value) as ClusterDocument);
      const now = document?.nodes.map(({ id, state }) => `${id} ${state}`).sort();
      if (document?.phase === "stable" && `${now}` === `${wanted}`) return;
      if (performance.now() - began > within)
        throw new Error(`not within ${within / 1000} s in force: ${wanted}; ${JSON.stringify(document)}`);
    }
  }

  async stop(): Promise<void> {
    this.#client.close();
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#servers.map((server) => server.kill()), this.etcd.stop()]);
    process.off("exit", this.#onExit);
  }
}
