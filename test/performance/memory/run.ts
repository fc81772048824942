import { type CoreUnderTest, launchCore } from "../../support/core-under-test.ts";
import { startRegistrations } from "../load.ts";
import { measure } from "../meter.ts";
import { saveJson } from "../report.ts";
import { domain, provision, type SystemUnderTest, systemOf } from "../system.ts";
import { usersOf } from "../users.ts";
import { LARGEST_CROWD, memberOf } from "./crowd.ts";
import { type Footprint, footprintOf } from "./footprint.ts";
import { failedIn, type ReferenceResult, referenceText, runReference } from "./reference.ts";
import { type CrowdFigures, registerCrowd } from "./register-crowd.ts";
import { type PoolStores, startStores } from "./stores.ts";
import { memoryText } from "./table.ts";

export interface MemoryPlan {
  /** Registered subscribers: where is looked first, and last. */
  readonly least: number;
  readonly most: number;
  /** Of SIPp's registrations, whose cost is measured at both sizes. */
  readonly regRate: number;
  /** Of each of three measurements. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Registrations a second by which the core is filled, at most. */
  readonly fillRate: number;
  /** In memcached and Cassandra instead of in files of the state directory. */
  readonly stores: boolean;
  /** Seconds of the reference load on the larger size, at the end; 0: none. */
  readonly referenceSeconds: number;
}

export interface MemoryOptions {
  readonly plan: MemoryPlan;
  /** More arguments for `tidewater up`. */
  readonly up: readonly string[];
  readonly say: (line: string) => void;
  /** The core is in it while it runs, for whoever has to end it early. */
  readonly running: Set<SystemUnderTest>;
}

/** The core with so many registered subscribers. */
export interface AtSize {
  readonly registered: number;
  readonly footprint: Footprint;
  /** Microseconds of a registration by process, in each of the measurements. */
  readonly registrationMicros: readonly Readonly<Record<string, number>>[];
  readonly failed: number;
  readonly otherCores: number;
}

export interface MemoryFigures {
  readonly plan: MemoryPlan;
  readonly sizes: readonly AtSize[];
  readonly filled: readonly CrowdFigures[];
  /** Bytes of Cassandra's files at the end, by table. */
  readonly cassandra?: Readonly<Record<string, number>>;
  readonly reference?: ReferenceResult;
}

const MEASUREMENTS = 3;
const AT_ONCE = 200;
/** Rows of one import. */
const ROWS = 20_000;
/** Of the heap of each process, for each subscriber: an engine that is told nothing stops at some 4 GB. */
const HEAP_OCTETS = 6_000;
const LEAST_HEAP_MB = 4096;
const LAST_WORDS = 3_000;

/** Registers a crowd and tells what each subscriber takes, as the difference between two sizes. Exit code 1 when a registration failed. */
export async function runMemory({ plan, up, say, running }: MemoryOptions): Promise<number> {
  if (plan.least >= plan.most || plan.most > LARGEST_CROWD)
    throw new Error(`sizes from ${plan.least} to ${plan.most}: ${LARGEST_CROWD} is the largest`);
  let stores: PoolStores | undefined;
  let core: CoreUnderTest | undefined;
  let system: SystemUnderTest | undefined;
  try {
    if (plan.stores) stores = await startStores();
    core = await launchCore({
      host: "127.0.0.6",
      args: [
        ...["--no-examples", "--domain", domain],
        // SIPp's UEs come to the crowd, and some forgotten ones.
        ...["--set", `bono.max-udp-flows=${Math.max(500_000, 2 * plan.most)}`],
        ...(stores?.args ?? []),
        ...up,
      ],
      env: { NODE_OPTIONS: heapOption(plan.most) },
    });
    system = systemOf(core);
    running.add(system);
    const filled: CrowdFigures[] = [];
    const sizes: AtSize[] = [];
    const measurer = new Measurer({ core, system, plan });
    let from = 0;
    for (const size of [plan.least, plan.most]) {
      filled.push(await fill({ core, plan, from, to: size, say }));
      from = size;
      if (sizes.length === 0) await measurer.warmUp();
      sizes.push(await measurer.at(size, stores, say));
    }
    let unserved = 0;
    const reference =
      plan.referenceSeconds === 0
        ? undefined
        : await referenceOn(core, system, { plan, say }).catch((error: Error) => {
            // What was measured so far took hours.
            say(`no reference load: ${error.message}`);
            unserved = 1;
            return undefined;
          });
    const cassandra = await stores?.weigh();
    const figures: MemoryFigures = {
      ...{ plan, sizes, filled },
      ...(cassandra === undefined ? {} : { cassandra }),
      ...(reference === undefined ? {} : { reference }),
    };
    console.log(memoryText(figures));
    if (reference !== undefined) console.log(referenceText(reference));
    say(`figures in ${saveJson("memory", figures)}`);
    const failed =
      [...filled, ...sizes].reduce((sum, one) => sum + one.failed, 0) +
      (reference === undefined ? unserved : failedIn(reference));
    return failed === 0 ? 0 : 1;
  } catch (error) {
    // Why a process is gone is in its last words.
    say(`the core's last words: ${core?.output().slice(-LAST_WORDS)}`);
    throw error;
  } finally {
    await (system ?? core)?.stop();
    if (system !== undefined) running.delete(system);
    await stores?.stop();
  }
}

function heapOption(subscribers: number): string {
  return `--max-old-space-size=${Math.max(LEAST_HEAP_MB, Math.ceil((subscribers * HEAP_OCTETS) / 1e6))}`;
}

function referenceOn(
  core: CoreUnderTest,
  system: SystemUnderTest,
  { plan, say }: Pick<MemoryOptions, "plan" | "say">,
): Promise<ReferenceResult> {
  return runReference({
    ...{ system, say, subscribers: plan.most, seconds: plan.referenceSeconds },
    target: { host: core.sip.host, port: core.sip.udpPort },
    provision: (users) => provision(core, users),
  });
}

interface Filling {
  readonly core: CoreUnderTest;
  readonly plan: MemoryPlan;
  readonly from: number;
  readonly to: number;
  readonly say: (line: string) => void;
}

async function fill({ core, plan, from, to, say }: Filling): Promise<CrowdFigures> {
  const began = performance.now();
  for (let first = from; first < to; first += ROWS) {
    const count = Math.min(ROWS, to - first);
    await provision(
      core,
      Array.from({ length: count }, (_, index) => memberOf(first + index)),
    );
  }
  say(`${to - from} subscribers provisioned in ${Math.round((performance.now() - began) / 1000)} s`);
  const { tookMs: _, ...result } = await registerCrowd({
    ...{ target: { host: core.sip.host, port: core.sip.udpPort }, domain, from, to, memberOf },
    ...{ atOnce: AT_ONCE, rate: plan.fillRate },
    progress: (registered) => say(`${from + registered} of ${to} registered`),
  });
  say(
    `${result.registered} registered in ${Math.round(result.seconds)} s (${Math.round(result.registered / result.seconds)}/s), ` +
      `${result.failed} failed${result.problem === undefined ? "" : ` (${result.problem})`}, ${result.refusals} refused for a while, ${result.retransmissions} retransmissions`,
  );
  return result;
}

/** Registers UEs of SIPp beside the crowd and measures what that costs. */
class Measurer {
  readonly #core: CoreUnderTest;
  readonly #system: SystemUnderTest;
  readonly #plan: MemoryPlan;
  /** UEs of SIPp so far. */
  #taken = 0;
  #registered = 0;

  constructor({ core, system, plan }: { core: CoreUnderTest; system: SystemUnderTest; plan: MemoryPlan }) {
    this.#core = core;
    this.#system = system;
    this.#plan = plan;
  }

  async warmUp(): Promise<void> {
    if (this.#plan.warmupSeconds > 0) await this.#measure(this.#plan.warmupSeconds);
  }

  async at(size: number, stores: PoolStores | undefined, say: (line: string) => void): Promise<AtSize> {
    const registrationMicros: Record<string, number>[] = [];
    let [failed, otherCores] = [0, 0];
    for (let i = 1; i <= MEASUREMENTS; i++) {
      const one = await this.#measure(this.#plan.seconds);
      const sum = Object.values(one.micros).reduce((all, part) => all + part, 0);
      say(`at ${size}, ${i} of ${MEASUREMENTS}: ${Math.round(sum)} us a registration, ${one.failed} failed`);
      registrationMicros.push(one.micros);
      failed += one.failed;
      otherCores = Math.max(otherCores, one.otherCores);
    }
    const footprint = await footprintOf(this.#system.parts, {
      stateDir: this.#core.stateDir,
      memcacheds: stores?.memcacheds ?? [],
    });
    return { registered: size + this.#registered, footprint, registrationMicros, failed, otherCores };
  }

  async #measure(
    seconds: number,
  ): Promise<{ micros: Record<string, number>; failed: number; otherCores: number }> {
    const { regRate } = this.#plan;
    const users = usersOf("c", regRate * seconds, this.#taken);
    this.#taken += users.length;
    await provision(this.#core, users);
    const { cpuSecondsByPart, results, otherCores } = await measure(this.#system, [
      () => startRegistrations({ system: this.#system, users, role: "caller", rate: regRate }),
    ]);
    const [ok, failed] = [results[0]?.stats.successful ?? 0, results[0]?.stats.failed ?? 0];
    if (ok === 0) throw new Error(`no UE could register: ${results[0]?.errors.slice(0, 800)}`);
    this.#registered += ok;
    const micros = Object.fromEntries(
      Object.entries(cpuSecondsByPart).map(([part, spent]) => [part, (spent / ok) * 1e6]),
    );
    return { micros, failed, otherCores };
  }
}
