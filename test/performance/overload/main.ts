import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { processorTime, stolenBetween } from "../../support/stolen-time.ts";
import { serviceRoutes, startCallees, startRegistrations } from "../load.ts";
import { cpuSeconds, droppedDatagrams, machineBusySeconds } from "../proc.ts";
import { saveJson } from "../report.ts";
import { startOurs } from "../system.ts";
import { usersOf } from "../users.ts";
import { asleep, keepAwake } from "./awake.ts";
import { type Compared, comparedLine, summary } from "./compared.ts";
import { type CoreShare, holdTo } from "./core-share.ts";
import { type Callers, DRAIN_MS, type Step, startStep, stepOf } from "./steps.ts";

const usage = `sh scripts/node test/performance/overload/main.ts [options]     goodput of calls at, and beyond, capacity

  --pairs N      UE pairs (400)
  --warmup N     seconds at the first rate on a whole processor, and as many at eight times that, before anything else: an engine that still compiles is a smaller one (30)
  --from N       first rate of the ramp to the best goodput, calls a second (100)
  --most N       no higher rate than this, beyond capacity neither (4000)
  --seconds N    of each step (10)
  --turns N      of 2 and 5 times the best, each beside the load that gave the best: what is compared stands next to each other (5)
  --core-share P hold the core to P per cent of one processor (100: all of it): a smaller core, of which the generator can
                 offer a greater multiple; needs root
  --no-pin       do not keep the core and the load generator on processors of their own
  --up ARG       more arguments for 'tidewater up', may be repeated`;

/** Each rate of the ramp is so much higher than the one before. */
const RAMP = 1.25;
const TIMES = [2, 5] as const;
/** Load after the overload, as a share of the best goodput. */
const CALM = 0.6;
/** What a step takes beside its offering: calls that are up, and a pause. */
const STEP_S = 1 + DRAIN_MS / 1000;
/** Registering before the first step. */
const STARTED_S = 120;

function whole(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 20_000)
    throw new Error(`--${name} ${text}: a whole number from 1`);
  return value;
}

function share(text: string): number {
  const value = whole(text, "core-share");
  if (value > 100) throw new Error(`--core-share ${text}: 1 to 100 per cent`);
  return value;
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: "string", default: "400" },
      from: { type: "string", default: "100" },
      most: { type: "string", default: "4000" },
      seconds: { type: "string", default: "10" },
      turns: { type: "string", default: "5" },
      warmup: { type: "string", default: "30" },
      "core-share": { type: "string", default: "100" },
      "no-pin": { type: "boolean", default: false },
      up: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return {
    pairs: whole(values.pairs, "pairs"),
    from: whole(values.from, "from"),
    most: whole(values.most, "most"),
    seconds: whole(values.seconds, "seconds"),
    turns: whole(values.turns, "turns"),
    warmup: whole(values.warmup, "warmup"),
    share: share(values["core-share"]),
    pin: !values["no-pin"] && availableParallelism() > 1,
    up: values.up,
    help: values.help,
  };
}

/** Seconds that the steps may take at most: the callees are there as long. */
function longest({ warmup, seconds, turns, from, most }: ReturnType<typeof readOptions>): number {
  const ramp = Math.ceil(Math.log(most / from) / Math.log(RAMP)) + 1;
  const steps = ramp + 1 + 3 * TIMES.length * turns;
  return 2 * warmup + (steps + 2) * (seconds + STEP_S) + 60;
}

function pin(pid: number, processor: number): void {
  spawnSync("taskset", ["-a", "-c", "-p", String(processor), String(pid)]);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const { pairs, seconds } = options;
  const say = (line: string): void => console.error(`overload: ${line}`);
  const users = [...usersOf("a", pairs), ...usersOf("b", pairs)];
  const system = await startOurs(users, { args: options.up });
  const steps: (Step & { readonly use: Use })[] = [];
  const compared: Compared[] = [];
  let held: CoreShare | undefined;
  const awake = options.share < 100 ? asleep : keepAwake((longest(options) + STARTED_S) * 1000);
  const busySeconds = (): number =>
    machineBusySeconds() - awake.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  try {
    if (options.pin) for (const pid of system.parts.values()) pin(pid, 0);
    const registered = await startRegistrations({
      system,
      users: usersOf("a", pairs),
      role: "caller",
      rate: 100,
    }).done;
    await startRegistrations({ system, users: usersOf("b", pairs), role: "callee", rate: 100 }).done;
    const routes = serviceRoutes(registered);
    if (routes.size < pairs * 0.9)
      throw new Error(`only ${routes.size} UEs could register: ${registered.errors.slice(0, 500)}`);
    const callees = startCallees(usersOf("b", pairs), longest(options) * 1000, { patient: true });
    if (options.pin) pin(callees.pid, 1);
    await delay(500);
    const callers: Callers = { system, callers: usersOf("a", pairs), routes };
    const step = async (name: string, rate: number, length = seconds): Promise<Step> => {
      const [edgeHost, edgePort] = system.target.split(":");
      const edgeDrops = (): number => droppedDatagrams(edgeHost, Number(edgePort));
      const coreCpu = (): number => [...system.parts.values()].reduce((sum, pid) => sum + cpuSeconds(pid), 0);
      const [busy, cpu, drops, atEdge] = [busySeconds(), coreCpu(), droppedDatagrams(), edgeDrops()];
      const calleeCpu = cpuSeconds(callees.pid);
      const processors = processorTime();
      const running = startStep(callers, rate, length);
      if (options.pin) pin(running.pid, 1);
      const began = performance.now();
      const one = stepOf(name, await running.done, rate, length);
      const took = (performance.now() - began) / 1000;
      const use: Use = {
        cores: (busySeconds() - busy) / took,
        core: (coreCpu() - cpu) / took,
        callees: (cpuSeconds(callees.pid) - calleeCpu) / took,
        stolen: stolenBetween(processors, processorTime()),
        droppedByCore: edgeDrops() - atEdge,
        dropped: droppedDatagrams() - drops,
      };
      steps.push({ ...one, use });
      say(line(one, use));
      await delay(1_000);
      return one;
    };
    try {
      await step("warm-up", options.from, options.warmup);
      if (options.share < 100) held = holdTo(options.share, system.parts.values());
      // What is done in overload only shall be compiled, too.
      await step("warm-up", Math.min(options.most, options.from * 8), options.warmup);
      let [best, bestAt] = [0, options.from];
      let inVain = 0;
      // On into refusals: a core that has more to do than it can is busier than one that just has enough.
      for (let rate = options.from; rate <= options.most && inVain < 2; rate = Math.round(rate * RAMP)) {
        const { goodput } = await step("ramp", rate);
        inVain = goodput > best * 1.02 ? 0 : inVain + 1;
        if (goodput > best) [best, bestAt] = [goodput, rate];
      }
      let before = await step("full", bestAt);
      for (let turn = 1; turn <= options.turns; turn++) {
        for (const times of TIMES) {
          const rate = Math.min(options.most, Math.round(best * times));
          const over = await step(`${times} x`, rate);
          const calm = await step("after it", Math.round(best * CALM));
          const after = await step("full", bestAt);
          // Of what was offered: the generator may not reach what was meant.
          const offered = Number((rate / best).toFixed(1));
          const one: Compared = { times: offered, full: [before, after], over, calm };
          before = after;
          compared.push(one);
          say(`turn ${turn} of ${options.turns}, ${comparedLine(one)}`);
        }
      }
      console.log(summary(compared));
    } finally {
      await callees.finish(1_000);
    }
  } finally {
    awake.end();
    held?.end();
    await system.stop();
  }
  say(`figures in ${saveJson("overload", { date: new Date().toISOString(), options, steps, compared })}`);
}

/** Processors in use during a step, and datagrams that a socket had no room for. */
type Use = {
  readonly cores: number;
  readonly core: number;
  readonly callees: number;
  /** Share of all processor time that the host gave to other machines, 0 to 1. */
  readonly stolen: number;
  readonly droppedByCore: number;
  readonly dropped: number;
};

function line(step: Step, use: Use): string {
  const {
    name,
    offered,
    goodput,
    refused,
    failed,
    inDialog,
    setupP50,
    setupP95,
    refusalP95,
    retransmissions,
  } = step;
  return `${name.padEnd(8)} ${String(offered).padStart(5)}/s: goodput ${goodput}/s, refused ${refused}, failed ${failed}, ended ${(inDialog * 100).toFixed(1)} %, set-up p50 ${setupP50} p95 ${setupP95} ms, refusal p95 ${refusalP95} ms, ${retransmissions} retransmissions, processors: ${use.cores.toFixed(2)} busy, core ${use.core.toFixed(2)}, callees ${use.callees.toFixed(2)}, ${(use.stolen * 100).toFixed(1)} % stolen; datagrams dropped: core ${use.droppedByCore}, all ${use.dropped}`;
}

await main();
