import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { serviceRoutes, startCallees, startRegistrations } from "../load.ts";
import { type CoreShare, holdTo } from "../overload/core-share.ts";
import { type Callers, type Step, startStep, stepOf } from "../overload/steps.ts";
import { cpuSeconds } from "../proc.ts";
import { saveJson } from "../report.ts";
import { percentile } from "../round.ts";
import { type SystemUnderTest, startOurs } from "../system.ts";
import { usersOf } from "../users.ts";

const usage = `sh scripts/node test/performance/workers/main.ts [options]     calls, or registrations, a second that one worker and several serve

Each worker is held to a share of a processor of its own, so that the load generator and the stores have the rest of the machine and the
workers are what is full first: the ratio says whether anything is in their way, not how fast the machine is. Takes root.

  --what WHAT    calls or registrations (calls)
  --workers N    compared with one (2)
  --share P      of a processor, per cent, for each worker (30)
  --rounds N     one worker and several in turns (3)
  --pairs N      UE pairs (400)
  --warmup N     seconds at the first rate on whole processors (20)
  --from N       first rate of the ramp, a second for each worker (120)
  --seconds N    of each step (8)
  --most N       no more a second than this for each worker (3000)`;

/** Each rate of the ramp is so much higher than the one before. */
const RAMP = 1.15;

function whole(text: string, name: string, most = 100_000): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`--${name} ${text}: a whole number from 1 to ${most}`);
  return value;
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      what: { type: "string", default: "calls" },
      workers: { type: "string", default: "2" },
      share: { type: "string", default: "30" },
      rounds: { type: "string", default: "3" },
      pairs: { type: "string", default: "400" },
      warmup: { type: "string", default: "20" },
      from: { type: "string", default: "120" },
      seconds: { type: "string", default: "8" },
      most: { type: "string", default: "3000" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { what } = values;
  if (what !== "calls" && what !== "registrations") throw new Error(`--what ${what}: calls or registrations`);
  return {
    what: what as "calls" | "registrations",
    workers: whole(values.workers, "workers", availableParallelism()),
    share: whole(values.share, "share", 99),
    rounds: whole(values.rounds, "rounds"),
    pairs: whole(values.pairs, "pairs"),
    warmup: whole(values.warmup, "warmup"),
    from: whole(values.from, "from"),
    seconds: whole(values.seconds, "seconds"),
    most: whole(values.most, "most"),
    help: values.help,
  };
}
type Options = ReturnType<typeof readOptions>;

/** Offered load for some seconds. */
type Offer = (rate: number, seconds: number) => Promise<Step>;

/** What a number of workers served. */
type Served = {
  readonly workers: number;
  readonly best: Step;
  /** Processor time of all workers for each that was served in that step, microseconds. */
  readonly cpuMicros: number;
  readonly cpuMicrosOfStores: number;
  readonly steps: readonly Step[];
};

const say = (line: string): void => console.error(`workers: ${line}`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const rounds: { readonly one: Served; readonly several: Served }[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const one = await serve(1, options);
    const several = await serve(options.workers, options);
    rounds.push({ one, several });
    say(
      `round ${round} of ${options.rounds}: 1 worker ${one.best.goodput}/s, ${options.workers} workers ${several.best.goodput}/s, ratio ${ratioOf({ one, several }).toFixed(2)}`,
    );
  }
  const ratios = rounds.map(ratioOf).sort((a, b) => a - b);
  const median = ratios[Math.floor(ratios.length / 2)] ?? Number.NaN;
  console.log(
    `${options.workers} workers / 1 worker, ${options.what} a second at ${options.share} % of a processor each: median ${median.toFixed(2)} [${ratios.map((one) => one.toFixed(2)).join(", ")}]`,
  );
  say(`figures in ${saveJson("workers", { date: new Date().toISOString(), options, rounds })}`);
}

function ratioOf({ one, several }: { readonly one: Served; readonly several: Served }): number {
  return several.best.goodput / one.best.goodput;
}

async function serve(workers: number, options: Options): Promise<Served> {
  const { pairs, share, seconds } = options;
  const users = [...usersOf("a", pairs), ...usersOf("b", pairs)];
  const system = await startOurs(users, { workers });
  const held: CoreShare[] = [];
  const pids = workersOf(system);
  const processors = availableParallelism();
  pids.forEach((pid, index) => {
    spawnSync("taskset", ["-a", "-c", "-p", String(index % processors), String(pid)]);
  });
  try {
    const { offer, end } =
      options.what === "calls" ? await callsTo(system, pairs) : registrationsOf(system, pairs);
    const steps: Step[] = [];
    let best: Step | undefined;
    let [cpuMicros, cpuMicrosOfStores] = [0, 0];
    try {
      await offer(options.from * workers, options.warmup);
      await delay(1_000);
      pids.forEach((pid, index) => {
        held.push(holdTo(share, [pid], `worker-${index + 1}`));
      });
      let inVain = 0;
      for (
        let rate = options.from * workers;
        rate <= options.most * workers && inVain < 2;
        rate = Math.round(rate * RAMP)
      ) {
        const before = cpuOf(system, pids);
        const step = await offer(rate, seconds);
        await delay(1_000);
        const after = cpuOf(system, pids);
        const served = Math.max(1, step.goodput * seconds);
        say(
          `${workers} workers, ${rate}/s: goodput ${step.goodput}/s, refused ${step.refused}, failed ${step.failed}, set-up p50 ${step.setupP50} p95 ${step.setupP95} ms`,
        );
        steps.push(step);
        inVain = step.goodput > (best?.goodput ?? 0) * 1.02 ? 0 : inVain + 1;
        if (best !== undefined && step.goodput <= best.goodput) continue;
        best = step;
        cpuMicros = Math.round(((after.workers - before.workers) / served) * 1e6);
        cpuMicrosOfStores = Math.round(((after.others - before.others) / served) * 1e6);
      }
    } finally {
      await end();
    }
    if (best === undefined) throw new Error("no step was made");
    return { workers, best, cpuMicros, cpuMicrosOfStores, steps };
  } finally {
    for (const one of held) one.end();
    await system.stop();
  }
}

function workersOf({ parts }: SystemUnderTest): number[] {
  return [...parts].flatMap(([part, pid]) => (part.includes("bono") ? [pid] : []));
}

function cpuOf({ parts }: SystemUnderTest, workers: readonly number[]): { workers: number; others: number } {
  const sum = (pids: readonly number[]): number => pids.reduce((total, pid) => total + cpuSeconds(pid), 0);
  return { workers: sum(workers), others: sum([...parts.values()].filter((pid) => !workers.includes(pid))) };
}

/** Calls between registered UEs, each of which the kernel gives to some worker: with two, every other call is one between them. */
async function callsTo(
  system: SystemUnderTest,
  pairs: number,
): Promise<{ offer: Offer; end: () => Promise<unknown> }> {
  const users = usersOf("a", pairs);
  const done = await startRegistrations({ system, users, role: "caller", rate: 100 }).done;
  await startRegistrations({ system, users: usersOf("b", pairs), role: "callee", rate: 100 }).done;
  const routes = serviceRoutes(done);
  if (routes.size < pairs * 0.9)
    throw new Error(`only ${routes.size} UEs could register: ${done.errors.slice(0, 500)}`);
  const callers: Callers = { system, callers: users, routes };
  const callees = startCallees(usersOf("b", pairs), 900_000, { patient: true });
  await delay(500);
  return {
    offer: async (rate, seconds) =>
      stepOf("ramp", await startStep(callers, rate, seconds).done, rate, seconds),
    end: () => callees.finish(1_000),
  };
}

/** Registrations with their challenges, over and over by the same UEs. */
function registrationsOf(
  system: SystemUnderTest,
  pairs: number,
): { offer: Offer; end: () => Promise<unknown> } {
  const users = [...usersOf("a", pairs), ...usersOf("b", pairs)];
  return {
    offer: async (rate, seconds) => {
      const count = rate * seconds;
      const { stats, responseTimes, errors } = await startRegistrations({
        ...{ system, users, role: "visitor", rate, count },
      }).done;
      const times = responseTimes.get("2") ?? [];
      return {
        name: "ramp",
        offered: rate,
        goodput: Math.round(stats.successful / seconds),
        refused: 0,
        failed: stats.failed,
        inDialog: 1,
        setupP50: percentile(times, 0.5),
        setupP95: percentile(times, 0.95),
        refusalP95: Number.NaN,
        retransmissions: stats.retransmissions,
        complaints: errors.slice(0, 500),
      };
    },
    end: () => Promise.resolve(),
  };
}

await main();
