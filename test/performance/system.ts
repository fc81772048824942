import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import type { RunningSipp } from "../support/sipp.ts";
import { startChain } from "./chain.ts";
import type { Company } from "./company.ts";
import { peerAddresses } from "./peer-kamailio/config.ts";
import { startPeer } from "./peer-kamailio/peer.ts";
import { startCollectors } from "./tracing.ts";
import type { User } from "./users.ts";

export const domain = "example.com";

/** This checkout, the same with an application server in every registration and call, with all of it traced, without metrics, another checkout, Kamailio IMS. */
export const SYSTEM_NAMES = ["ours", "chain", "tracing", "uncounted", "before", "peer"] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

/** A running core that the bench puts load on. */
export type SystemUnderTest = {
  readonly name: SystemName;
  /** Whose UEs it serves: of systems that run at once, each has another one. */
  readonly lane: number;
  /** Where UEs send to, `host:port`. */
  readonly target: string;
  /** Process ids (each the root of a tree) by part. */
  readonly parts: ReadonlyMap<string, number>;
  /** The parts that are the HSS: reported apart, because it is outside the CSCFs that are compared. */
  readonly hss: readonly string[];
  readonly version: string;
  /** Not of the system, but at work with it: an application server. */
  readonly beside: readonly RunningSipp[];
  /** What it has said last; a peer says nothing. */
  readonly output?: () => string;
  stop(): Promise<void>;
};

export type OursOptions = {
  /** More arguments for `tidewater up`. */
  readonly args?: readonly string[];
  readonly lane?: number;
  /** Another checkout to run, installed: its `npm start` has worked. */
  readonly checkout?: string;
  readonly company?: keyof typeof COMPANIES;
  /** Without metrics (uncounted.ts). */
  readonly uncounted?: boolean;
  /** Scraped as often as Prometheus does by default. */
  readonly scraped?: boolean;
  /** bono and sprout in so many workers, with one memcached; 0: in one process, with a file. */
  readonly workers?: number;
};

const UNCOUNTED = { NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "uncounted.ts"))}` };
const SCRAPE_EVERY_MS = 15_000;
/** Management ports of bono, sprout and homestead. */
const SCRAPED_PORTS = [9_101, 9_102, 9_103] as const;

const COMPANIES = {
  chain: startChain,
  tracing: startCollectors,
} satisfies Record<string, (lane: number, folder: string) => Company | Promise<Company>>;

/** Tidewater as `tidewater up` starts it, on a loopback address of its own, with `users` provisioned. */
export async function startOurs(
  users: readonly User[],
  {
    args = [],
    lane = 0,
    checkout,
    company: kind,
    workers = 0,
    uncounted = false,
    scraped = false,
  }: OursOptions = {},
): Promise<SystemUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const company = kind === undefined ? undefined : await COMPANIES[kind](lane, folder);
  const end = async (): Promise<void> => {
    await company?.end();
    rmSync(folder, { recursive: true, force: true });
  };
  let core: CoreUnderTest | undefined;
  try {
    core = await launchCore({
      host: `127.0.${lane}.6`,
      args: [
        ...["--no-examples", "--domain", domain],
        ...(workers === 0 ? [] : workersArgs(workers, lane)),
        ...(company?.args ?? []),
        ...args,
      ],
      ...(checkout === undefined ? {} : { checkout }),
      ...(uncounted ? { env: UNCOUNTED } : {}),
    });
    await provision(core, users);
  } catch (cause) {
    await core?.stop();
    await end();
    throw cause;
  }
  const plain = uncounted ? "uncounted" : "ours";
  const system = systemOf(core, { lane, name: kind ?? (checkout === undefined ? plain : "before") });
  const scraping = scraped ? setInterval(() => void scrape(system), SCRAPE_EVERY_MS) : undefined;
  return {
    ...system,
    beside: company?.sipps ?? [],
    stop: async () => {
      clearInterval(scraping);
      await system.stop();
      await end();
    },
  };
}

async function scrape({ target }: SystemUnderTest): Promise<void> {
  const [host = ""] = target.split(":");
  for (const port of SCRAPED_PORTS)
    await fetch(`http://${host}:${port}/metrics`)
      .then((response) => response.text())
      .catch(() => undefined); // it ends
}

/** Workers of a core whose other addresses nobody else of the bench has. */
function workersArgs(workers: number, lane: number): string[] {
  return ["--workers", String(workers), "--stores", "memcached=1", "--network", `127.${100 + lane}`];
}

/** A core that runs, as what load is put on. */
export function systemOf(
  core: CoreUnderTest,
  { name = "ours", lane = 0 }: { readonly name?: SystemName; readonly lane?: number } = {},
): SystemUnderTest {
  const parts = partsOf(core);
  return {
    name,
    lane,
    target: `${core.sip.host}:${core.sip.udpPort}`,
    parts,
    hss: [...parts.keys()].filter((part) => part.startsWith("homestead")),
    version: `Node ${process.version}`,
    beside: [],
    output: core.output,
    stop: () => core.stop(),
  };
}

/** The processes of a core by the nodes that run in them. */
export function partsOf({ nodes }: Pick<CoreUnderTest, "nodes">): Map<string, number> {
  const byPid = new Map<number, string>();
  for (const { name, pid } of nodes) byPid.set(pid, [byPid.get(pid), name].filter(Boolean).join("+"));
  return new Map([...byPid].map(([pid, name]) => [name, pid]));
}

/** Gives a core its users. */
export async function provision(core: CoreUnderTest, users: readonly User[]): Promise<void> {
  const rows = users.map(({ name, password }) => `${name}@${domain},sip:${name}@${domain},${password}\n`);
  const file = join(core.stateDir, "bench-subscribers.csv");
  writeFileSync(file, `impi,impu,password\n${rows.join("")}`);
  const imported = await core.tidewater(["subscriber", "import", "--url", core.provisioning, file]);
  if (imported.exitCode !== 0)
    throw new Error(`subscriber import: ${imported.stderr}${imported.stdout.slice(-500)}`);
}

/** Kamailio IMS, with `users` in its HSS. */
export async function startTheirs(users: readonly User[], lane = 0): Promise<SystemUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), "peer-kamailio-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const file = join(directory, "subscribers.csv");
    writeFileSync(file, users.map(({ name, password }) => `${name};${password}\n`).join(""));
    const peer = await startPeer({ domain, directory }, file);
    return {
      name: "peer",
      lane,
      target: `${peerAddresses.pcscf.host}:${peerAddresses.pcscf.port}`,
      parts: peer.pids,
      hss: ["hss"],
      version: peer.version,
      beside: [],
      stop: async () => {
        await peer.stop();
        remove();
      },
    };
  } catch (cause) {
    remove();
    throw cause;
  }
}
