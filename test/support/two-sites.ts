import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRegistrations } from "@ims/api";
import { writePoolsFile } from "@ims/runtime";
import { hostOf, memberCommand } from "../../nodes/tidewater/src/up/pools/member-command.ts";
import { poolsContent } from "../../nodes/tidewater/src/up/pools/pools-content.ts";
import { POOLS, type PoolName } from "../../nodes/tidewater/src/up/pools/request.ts";
import { launchCassandra } from "./cassandra.ts";
import { startMemcached } from "./memcached.ts";
import type { CoreOfUe } from "./sip-ue.ts";

const DOMAIN = "example.com";
const NAMES = ["east", "west"] as const;

/** One site of a core over two: a bono, a sprout and a homestead, a memcached and a Cassandra node. */
export interface SiteUnderTest {
  readonly name: string;
  /** As a UE sees it. */
  readonly edge: CoreOfUe;
  /** SIGKILL to everything that runs there. */
  kill(): Promise<void>;
  /** Starts it again: Cassandra with what it had, memcached empty. */
  start(): Promise<void>;
  /** Contacts of a user as the sprout there knows them, in order. */
  contacts(impu: string): Promise<readonly string[]>;
}

export interface TwoSitesUnderTest {
  readonly east: SiteUnderTest;
  readonly west: SiteUnderTest;
  stop(): Promise<void>;
}

/** Starts both sites, on one Cassandra cluster of two data centres. */
export async function launchTwoSites(): Promise<TwoSitesUnderTest> {
  const network = `127.${randomInt(130, 250)}`;
  const folder = mkdtempSync(join(tmpdir(), "two-sites-"));
  const poolsFile = join(folder, "pools.json");
  const members = POOLS.flatMap((pool) => [1, 2].map((index) => ({ pool, index, draining: false })));
  const content = poolsContent(network, DOMAIN, members);
  for (const { members: listed } of content.pools)
    for (const [index, member] of listed.entries()) member.site = NAMES[index];
  await writePoolsFile(poolsFile, content);
  const [cassandra, ...caches] = await Promise.all([
    launchCassandra(2, { dataCenters: NAMES }),
    ...NAMES.map((_, index) => startMemcached({ host: hostOf(network, "memcached", index + 1) })),
  ]);
  const running: ChildProcess[] = [];
  const keys = { gruuKey: randomBytes(16).toString("hex"), flowTokenKey: randomBytes(32).toString("hex") };

  const startNode = async (pool: PoolName, index: number): Promise<ChildProcess> => {
    const [site, contactPoint, cache] = [NAMES[index], cassandra.contactPoints[index], caches[index]];
    if (site === undefined || contactPoint === undefined || cache === undefined)
      throw new Error(`site ${index}`);
    const stores = {
      "cassandra-datacenter": site,
      "cassandra-replication": NAMES.map((one) => `${one}:1`).join(),
    };
    const options = {
      ...(pool === "bono" ? {} : stores),
      ...(pool === "homestead" ? {} : { site }),
      ...(pool === "sprout" ? { memcached: cache.id } : {}),
    };
    const set = Object.entries(options).map(([option, value]) => ({ node: pool, option, value }));
    const { args, env } = memberCommand(pool, index + 1, {
      ...{ network, domain: DOMAIN, stateDir: folder, poolsFile, seedExamples: true, logLevel: "warn" },
      ...{ set, keys, memcachedFile: "", cassandra: [contactPoint] },
    });
    const program = join(import.meta.dirname, `../../nodes/${pool}/bin/${pool}.ts`);
    const node = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env },
    });
    running.push(node);
    await Promise.race([
      once(node, "message"),
      once(node, "exit").then(([code, signal]) =>
        Promise.reject(new Error(`${pool} of ${site} ended with ${code ?? signal}`)),
      ),
    ]);
    return node;
  };
  const siteOf = (index: number): SiteUnderTest & { startNodes(): Promise<void> } => {
    const name = NAMES[index] ?? "";
    let nodes: readonly ChildProcess[] = [];
    const host = hostOf(network, "bono", index + 1);
    const startNodes = async (): Promise<void> => {
      // Who finds no HSS at first looks again half a minute later (RFC 6733 §2.1, Tc).
      const [first, ...others] = POOLS;
      const hss = await startNode(first, index);
      nodes = [hss, ...(await Promise.all(others.map((pool) => startNode(pool, index))))];
    };
    return {
      name,
      edge: {
        domain: DOMAIN,
        sip: { host, udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 },
      },
      startNodes,
      kill: async () => {
        await Promise.all([...nodes.map(end), caches[index]?.kill(), cassandra.cluster.nodes[index]?.kill()]);
      },
      start: async () => {
        const cql = cassandra.cluster.nodes[index];
        cql?.start();
        await Promise.all([caches[index]?.restart(), cql?.waitUntilReady()]);
        await cql?.waitUntilSeen(cassandra.cluster.nodes.map(({ host }) => host));
        await startNodes();
      },
      contacts: async (impu) => {
        const url = `http://${hostOf(network, "sprout", index + 1)}:9102`;
        const { registrations } = await readRegistrations({ url }, impu);
        return registrations.flatMap(({ bindings }) => bindings.map(({ contact }) => contact)).sort();
      },
    };
  };
  const [east, west] = [siteOf(0), siteOf(1)];
  const stop = async (): Promise<void> => {
    await Promise.all([...running.map(end), ...caches.map((cache) => cache.kill())]);
    await cassandra.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await east.startNodes();
    await west.startNodes();
  } catch (error) {
    await stop();
    throw error;
  }
  return { east, west, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
