import { join } from "node:path";
import { writePoolsFile } from "@ims/runtime";
import { CassandraCluster } from "../cassandra/cassandra-cluster.ts";
import { nodeProcesses } from "../node-process.ts";
import { cassandraRunner } from "./cassandra-runner.ts";
import { Member, type MemberState, type Runner } from "./member.ts";
import { addressOf, memberCommand, type PoolSettings, storeAddresses } from "./member-command.ts";
import { MemcachedServers } from "./memcached-servers.ts";
import { type NodeRunner, nodeRunner } from "./node-runner.ts";
import { poolsContent } from "./pools-content.ts";
import {
  NODES_OF,
  type PoolName,
  type Scalable,
  type StoreCounts,
  sharingProblem,
  UNITS,
  type UnitCounts,
  type UnitName,
} from "./request.ts";

/** A process as it is reported to whoever asks. */
export interface Process {
  readonly name: string;
  /** Pool of a node, name of a store. */
  readonly pool: string;
  /** 0: it does not run. */
  readonly pid: number;
  readonly host: string;
  readonly ports: Readonly<Record<string, unknown>>;
  readonly state: MemberState;
  /** How often it was started again by itself. */
  readonly restarts: number;
}

export interface FleetOptions {
  readonly settings: PoolSettings;
  readonly units: UnitCounts;
  readonly stores: StoreCounts;
  /** Start again what dies. */
  readonly restart: boolean;
  readonly say: (line: string) => void;
}

/** What watches the pools file has acted on it by then. */
const HEED_MS = 300;

interface PoolMember {
  readonly pool: UnitName;
  readonly index: number;
  readonly member: Member;
  draining: boolean;
}

/** All processes of `tidewater up --pools`, and the pools file that tells them of each other. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #cassandraNodes: Member[] = [];
  #memcached: MemcachedServers | undefined;
  #cassandra: CassandraCluster | undefined;
  #members: PoolMember[] = [];
  /** By name: what one of them tells is told to the others. */
  readonly #workers = new Map<string, NodeRunner>();
  #stopping = false;
  /** What is under way: one thing at a time. */
  #busy = "";

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get #stores(): Member[] {
    return [...(this.#memcached?.members ?? []), ...this.#cassandraNodes];
  }

  /** All nodes and stores, these first; those of a worker have its process. */
  get processes(): Process[] {
    return [...this.#stores.map(processOf), ...this.#members.flatMap((one) => this.#nodesOf(one))];
  }

  #nodesOf({ pool: unit, index, member }: PoolMember): Process[] {
    const nodes = NODES_OF[unit];
    if (nodes.length === 1) return [processOf(member)];
    return nodes.map((pool) => {
      const ports = member.ports[pool];
      return {
        ...processOf(member),
        ...{ name: `${pool}-${index}`, pool, host: addressOf(this.#options.settings, pool, index) },
        ports: typeof ports === "object" ? { ...ports } : {},
      };
    });
  }

  /** Stores, then pool by pool, each when the one before is ready. Rejects with what did not start. */
  start(): Promise<void> {
    return this.#exclusively("start", () => this.#startAll());
  }

  async #startAll(): Promise<void> {
    this.#addStores();
    if (this.#stores.length > 0) this.#progress(this.#stores);
    await this.#memcached?.publish();
    await Promise.all(this.#stores.map((store) => store.start()));
    await this.#cassandra?.waitUntilReady();
    for (const pool of UNITS)
      for (let index = 1; index <= this.#options.units[pool]; index++)
        this.#members.push(this.#member(pool, index));
    await this.#publish();
    for (const pool of UNITS) {
      // The first one makes what all of them share (schema, keys, examples); bonos share nothing of that kind.
      const members = this.#of(pool).map(({ member }) => member);
      if (members.length === 0) continue;
      this.#checkStopping();
      this.#progress(members);
      if (pool !== "bono") await members[0]?.start();
      this.#checkStopping();
      await Promise.all(members.map((member) => member.start()));
    }
  }

  /** Bono first, the stores last: nobody loses what he needs before he is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const pool of [...UNITS].reverse())
      await Promise.all(this.#of(pool).map(({ member }) => member.stop()));
    await Promise.all(this.#stores.map((store) => store.stop()));
  }

  /** Brings pools to other sizes; members that stay are not touched. Rejects with what is wrong or did not start. */
  async scale(wanted: ReadonlyMap<Scalable, number>, progress: (line: string) => void): Promise<void> {
    const workers = this.#of("worker").length;
    if (workers > 0 && (wanted.has("bono") || wanted.has("sprout")))
      throw new Error("bono and sprout run in workers, whose number is that of the start (--workers)");
    const now = (pool: PoolName): number => wanted.get(pool) ?? this.#of(pool).length;
    const counts = { homestead: now("homestead"), sprout: now("sprout"), bono: now("bono"), worker: workers };
    const problem = sharingProblem({ ...counts, sprout: counts.sprout + workers }, this.#options.stores);
    if (problem !== undefined) throw new Error(problem);
    const memcached = wanted.get("memcached");
    if (memcached !== undefined && this.#memcached === undefined)
      throw new Error("there is no memcached: pools were started without --stores memcached");
    await this.#exclusively("scale", async () => {
      if (memcached !== undefined)
        await this.#memcached?.scale(
          memcached,
          this.#members
            .filter(({ pool }) => NODES_OF[pool].includes("sprout"))
            .map((one) => () => this.#nodesOf(one).find(({ pool }) => pool === "sprout")),
          progress,
        );
      for (const pool of UNITS)
        for (let index = 1; index <= counts[pool]; index++)
          if (!this.#of(pool).some((one) => one.index === index)) await this.#grow(pool, index, progress);
      for (const pool of [...UNITS].reverse())
        for (const one of this.#of(pool).reverse())
          if (one.index > counts[pool]) await this.#shrink(one, progress);
    });
  }

  /** One after the other: drained, stopped, started. Names of members, pools or stores. */
  async restart(names: readonly string[], progress: (line: string) => void): Promise<void> {
    const isNamed = (one: PoolMember): boolean =>
      names.includes("all") ||
      [one.member, ...this.#nodesOf(one)].some(
        ({ name, pool }) => names.includes(name) || names.includes(pool),
      );
    const stores = this.#stores.filter((store) => names.includes(store.name) || names.includes(store.pool));
    const members = this.#members.filter(isNamed);
    const known = new Set(
      [...this.processes, ...this.#members.map(({ member }) => member)].flatMap(({ name, pool }) => [
        name,
        pool,
      ]),
    );
    const unknown = names.find((name) => name !== "all" && !known.has(name));
    if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${[...known].join(", ")}`);
    await this.#exclusively("restart", async () => {
      for (const store of stores) {
        await store.stop();
        await store.start({ persist: true });
        progress(`${store.name} is ready again (pid ${store.pid})`);
      }
      for (const one of members) {
        if (one.member.state === "ready") await this.#drain(one);
        await one.member.stop();
        try {
          await one.member.start({ persist: true });
        } finally {
          one.draining = false;
          await this.#publish();
        }
        progress(`${one.member.name} is ready again (pid ${one.member.pid})`);
      }
    });
  }

  async #grow(pool: UnitName, index: number, progress: (line: string) => void): Promise<void> {
    // Admitted by the others before it speaks to them, asked by them once it is ready.
    const one = this.#member(pool, index);
    one.draining = true;
    this.#members.push(one);
    await this.#publish();
    await this.#heed();
    try {
      await one.member.start();
    } catch (error) {
      this.#members = this.#members.filter((other) => other !== one);
      await this.#publish();
      throw error;
    }
    one.draining = false;
    await this.#publish();
    progress(`${one.member.name} is ready on ${one.member.host} (pid ${one.member.pid})`);
  }

  async #shrink(one: PoolMember, progress: (line: string) => void): Promise<void> {
    await this.#drain(one);
    await one.member.stop();
    this.#members = this.#members.filter((other) => other !== one);
    await this.#publish();
    progress(`${one.member.name} is gone`);
  }

  async #drain(one: PoolMember): Promise<void> {
    one.draining = true;
    await this.#publish();
    await this.#heed();
  }

  #heed(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, HEED_MS));
  }

  async #exclusively(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy !== "") throw new Error(`wait: a ${this.#busy} is under way`);
    this.#checkStopping();
    this.#busy = what;
    try {
      await work();
    } finally {
      this.#busy = "";
    }
  }

  #progress(starting: readonly Member[]): void {
    this.#options.say(`starting ${starting.map(({ name }) => name).join(", ")}`);
  }

  #checkStopping(): void {
    if (this.#stopping) throw new Error("everything is being stopped");
  }

  #of(pool: UnitName): PoolMember[] {
    return this.#members.filter((one) => one.pool === pool).sort((a, b) => a.index - b.index);
  }

  async #publish(): Promise<void> {
    const { settings } = this.#options;
    const { network, domain, poolsFile } = settings;
    const content = poolsContent(network, domain, this.#members, (pool, index) =>
      addressOf(settings, pool, index),
    );
    await writePoolsFile(poolsFile, content);
  }

  #member(pool: UnitName, index: number): PoolMember {
    const { settings, restart, say } = this.#options;
    const name = `${pool}-${index}`;
    const nodes = NODES_OF[pool];
    const commands = nodes.map((node) => memberCommand(node, index, settings));
    const [started] = nodeProcesses(commands, nodes.length > 1);
    if (started === undefined) throw new Error(`${pool} is no process`);
    const socket = pool === "worker" ? settings.workers?.udpSockets[index - 1] : undefined;
    const own = nodeRunner(name, started, {
      inherits: socket === undefined ? [] : [socket],
      onMessage: (message) => {
        for (const [other, { tell }] of this.#workers) if (other !== name) tell(message);
      },
    });
    if (pool === "worker") this.#workers.set(name, own);
    let runner: Runner = own;
    for (const node of nodes)
      runner =
        settings.authority?.certified(runner, `${node}-${index}`, addressOf(settings, node, index)) ?? runner;
    const host = addressOf(settings, nodes.at(-1) ?? "bono", index);
    const member = new Member({
      name,
      pool,
      host,
      runner,
      restart,
      say,
    });
    return { pool, index, member, draining: false };
  }

  #addStores(): void {
    const { settings, stores, restart, say } = this.#options;
    const { network, stateDir, memcachedFile, authority } = settings;
    if (stores.memcached > 0)
      this.#memcached = new MemcachedServers(
        { network, file: memcachedFile, restart, say, authority },
        stores.memcached,
      );
    if (stores.cassandra === 0) return;
    const hosts = storeAddresses(network, "cassandra", stores.cassandra).map(
      (place) => place.split(":")[0] ?? "",
    );
    const nameOf = (host: string): string => `cassandra-${hosts.indexOf(host) + 1}`;
    this.#cassandra = new CassandraCluster({
      ...{ hosts, folder: join(stateDir, "cassandra") },
      ...(authority === undefined ? {} : { tls: (host) => authority.filesOf(nameOf(host)) }),
    });
    for (const node of this.#cassandra.nodes) {
      const [name, plain] = [nameOf(node.host), cassandraRunner(node)];
      const runner = authority?.certified(plain, name, node.host) ?? plain;
      this.#cassandraNodes.push(
        new Member({ name, ...{ pool: "cassandra", host: node.host, runner, restart, say } }),
      );
    }
  }
}

function processOf(member: Member): Process {
  const { name, pool, pid, host, ports, state, restarts } = member;
  return { name, pool, pid, host, ports, state, restarts };
}
