import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SuiteOptions } from "../command-line.ts";
import { emptyHistory } from "../history/operations.ts";
import { Load, type Subscriber } from "../load/load.ts";
import { Told } from "../load/told.ts";
import type { World } from "../load/world.ts";
import { distribute, Nemesis } from "../nemesis/nemesis.ts";
import { Random } from "../random.ts";
import { Core } from "../system/core.ts";
import { Network, UE_ADDRESS } from "../system/namespaces.ts";
import { provision } from "../system/provision.ts";

/** What a core of pools may take to start, Cassandra included, ms. */
const START_WITHIN_MS = 240_000;

/** A core under load, ready to be harmed. */
export interface Bench {
  readonly core: Core;
  readonly load: Load;
  readonly nemesis: Nemesis;
  readonly random: Random;
  readonly subscribers: readonly Subscriber[];
  readonly folder: string;
  readonly close: () => Promise<void>;
}

export interface BenchOptions {
  readonly options: SuiteOptions;
  readonly folder: string;
  /** Every process in a network namespace of its own, below this one. */
  readonly hub: string | undefined;
  readonly say: (line: string) => void;
}

/** Starts a core, adds subscribers and registers them. `hub` given: with partitions. */
export async function openBench({ options, folder, hub, say }: BenchOptions): Promise<Bench> {
  mkdirSync(folder, { recursive: true });
  const random = new Random(options.seed);
  const began = performance.now();
  const now = (): number => performance.now() - began;
  const seconds = (): string => `${(now() / 1000).toFixed(1)} s`;
  const stores = options.stores === "none" ? [] : ["--stores", options.stores];
  say(`starting ${options.pools}${options.stores === "none" ? "" : ` on ${options.stores}`}`);
  const core = await Core.start({
    args: ["--pools", options.pools, ...stores, "--no-restart", "--no-examples"],
    stateDir: folder,
    within: START_WITHIN_MS,
  });
  running.add(core);
  let load: Load | undefined;
  const close = async (): Promise<void> => {
    load?.close();
    await core.stop();
    running.delete(core);
  };
  try {
    say(
      `${core.members.map(({ name, process: { pid } }) => `${name} (${pid})`).join(", ")} after ${seconds()}`,
    );
    const subscribers = await provision(core, options.subscribers, random.fork("subscribers"), folder);
    let network: Network | undefined;
    if (hub !== undefined) {
      network = new Network(hub);
      await distribute(core, network);
      say(`every process in a network namespace of its own after ${seconds()}`);
    }
    const world: World = {
      now,
      random: random.fork("ues"),
      domain: core.domain,
      edges: core.pool("bono").map(({ name, host }) => ({ name, host, port: 5060 })),
      history: emptyHistory(),
      calls: new Map(),
      told: new Told(),
      reached: () => undefined,
    };
    load = new Load(world, {
      // A run that brings its own load wants no other.
      subscribers: options.registers + options.calls > 0 ? subscribers : [],
      transports: options.transports,
      address: UE_ADDRESS,
      registersPerSecond: options.registers,
      callsPerSecond: options.calls,
      silenceMs: options.silenceMs,
    });
    const failed = await load.registerAll();
    if (failed.length > 0)
      throw new Error(`${failed.length} devices could not register before any fault: ${failed[0]}`);
    say(`${load.ues.length} devices of ${subscribers.length} subscribers registered after ${seconds()}`);
    const nemesis = new Nemesis({ core, network, random: random.fork("nemesis"), now });
    return { core, load, nemesis, random: random.fork("cells"), subscribers, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const running = new Set<Core>();

/** Ends every process of every core of this suite at once. */
export function killEverything(): void {
  for (const core of running) core.killAll();
}

/** One line of JSON more in a file of the results. */
export function record(folder: string, file: string, value: unknown): void {
  appendFileSync(join(folder, file), `${JSON.stringify(value)}\n`);
}
