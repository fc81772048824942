import { join } from "node:path";
import type { NodeOption } from "../nodes.ts";
import { makeStateDir } from "../state-dir.ts";
import { openWorkersManagement } from "../workers/open-workers-management.ts";
import { openAccess } from "../workers/shared-access.ts";
import { type ControlRequest, openControl } from "./control.ts";
import { Fleet } from "./fleet.ts";
import { poolKeys } from "./keys.ts";
import { LabAuthority } from "./lab-authority.ts";
import { storeAddresses } from "./member-command.ts";
import { poolsGuide } from "./pools-guide.ts";
import { type PoolCounts, type StoreCounts, scaleCountsOf, unitsOf } from "./request.ts";

/** What `tidewater up --pools` was asked for. */
export interface UpPoolsOptions {
  readonly pools: PoolCounts;
  readonly stores: StoreCounts;
  readonly network: string;
  readonly domain: string;
  /** Absolute. */
  readonly stateDir: string;
  readonly seedExamples: boolean;
  readonly logLevel: string;
  readonly set: readonly NodeOption[];
  readonly restart: boolean;
  readonly json: boolean;
  /** TLS for everything inside the core. */
  readonly coreTls: boolean;
  /** bono and sprout run in so many workers, which share the access side. */
  readonly workers?: { readonly count: number; readonly host: string } | undefined;
}

/** Runs pools of nodes and their stores until a signal; gives the exit code. */
export async function upPools(options: UpPoolsOptions): Promise<number> {
  const { stateDir, network, domain, stores } = options;
  const say = (line: string): void => void process.stderr.write(`tidewater: ${line}\n`);
  const began = performance.now();
  const signal = new Promise<undefined>((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => done(undefined));
  });
  makeStateDir(stateDir);
  const access = options.workers === undefined ? undefined : await openAccess(options.workers, options.set);
  const fleet = new Fleet({
    settings: {
      ...{ network, domain, stateDir, seedExamples: options.seedExamples },
      ...{ logLevel: options.logLevel, set: options.set, poolsFile: join(stateDir, "pools.json") },
      keys: poolKeys(stateDir),
      memcachedFile: stores.memcached === 0 ? "" : join(stateDir, "memcached.json"),
      cassandra: storeAddresses(network, "cassandra", stores.cassandra),
      authority: options.coreTls ? new LabAuthority(join(stateDir, "tls")) : undefined,
      workers: access && { host: access.host, udpSockets: access.udpSockets },
    },
    units: unitsOf(options.pools, options.workers?.count),
    ...{ stores, restart: options.restart, say },
  });
  const control = await openControl(stateDir, (request, progress) => answer(fleet, request, progress, say));
  let closeManagement = (): Promise<void> => Promise.resolve();
  try {
    const starting = fleet.start().then(async () => {
      if (access !== undefined)
        closeManagement = await openWorkersManagement(
          { host: access.host, set: options.set },
          () => fleet.processes,
        );
      return true;
    });
    starting.catch(() => undefined); // a signal may come first: nobody waits for the start then
    if ((await Promise.race([signal, starting])) === undefined) {
      say("stopped before everything was ready");
      return 1;
    }
    const seconds = (performance.now() - began) / 1000;
    if (options.json) console.log(JSON.stringify({ ready: true, seconds, ...reportOf(fleet, options) }));
    else console.log(poolsGuide(options, fleet.processes, seconds.toFixed(1)));
    await signal;
    return 0;
  } finally {
    control.close();
    await closeManagement();
    await fleet.stop();
  }
}

function reportOf(fleet: Fleet, { network, domain, stateDir, workers }: UpPoolsOptions): object {
  const poolsFile = join(stateDir, "pools.json");
  const access = workers === undefined ? {} : { host: workers.host, workers: workers.count };
  return { domain, network, ...access, stateDir, poolsFile, pid: process.pid, nodes: fleet.processes };
}

async function answer(
  fleet: Fleet,
  request: ControlRequest,
  progress: (line: string) => void,
  say: (line: string) => void,
): Promise<unknown> {
  const told = (line: string): void => {
    say(line);
    progress(line);
  };
  switch (request.command) {
    case "status":
      break;
    case "scale": {
      const wanted = scaleCountsOf(request.pools);
      if (wanted.kind === "wrong") throw new Error(wanted.problem);
      await fleet.scale(wanted.counts, told);
      break;
    }
    case "restart":
      await fleet.restart(request.names, told);
  }
  return { pid: process.pid, nodes: fleet.processes };
}
