import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runBudget } from "./budget/run.ts";
import { budgetText, withoutFrames } from "./budget/table.ts";
import { saveDrawings, writeBudget } from "./budget/write.ts";
import { runMemory } from "./memory/run.ts";
import { formatReport, makeReport, saveJson } from "./report.ts";
import { type Plan, type Round, runRounds, sizesOf } from "./round.ts";
import { runSoak } from "./soak.ts";
import { type SystemUnderTest, startOurs, startTheirs } from "./system.ts";
import { type User, usersOf } from "./users.ts";

const usage = `npm run bench -- [options]        CPU, response times and memory under SIPp's load; reports, does not gate

  --peer             measure Kamailio IMS too, in turns within the same run
  --peer-only        measure Kamailio IMS alone
  --chain            measure the core with one application server in every registration and call too
  --tracing          measure the core with everything told to a HEP3 and an OpenTelemetry collector too
  --uncounted        measure the core with counters and histograms that do nothing too; the other one is scraped every 15 s
  --before DIR       measure the core of another checkout too (its npm start has worked)
  --at-once          with another system: under load at the same time, not in turns; what disturbs one disturbs all
  --rounds N         rounds, each with freshly started systems (3)
  --seconds N        seconds of registrations, and of calls, in a round (12)
  --reg-rate N       registrations per second (400)
  --call-rate N      calls per second (200)
  --warmup N         seconds of load before each measurement (20)
  --workers N        bono and sprout in N workers, with a memcached (docs/adr/0042-workers.md); test/performance/workers tells what more of them serve
  --before-workers N the same for the core of --before; 0: in one process. Default: as --workers
  --up ARG           more arguments for 'tidewater up', may be repeated
  --before-up ARG    those of the core of --before, may be repeated; an empty one: none. Default: those of --up
  --soak SECONDS     instead: steady 50 registrations/s and 20 calls/s, a line every 10 s
  --budget           instead: microseconds and allocations of a registration and of a call by step, from profiles
  --sample-us N      with --budget: between two samples of a profile (500)
  --write            with --budget: put tables and flame graphs into docs/performance.md and docs/figures
  --memory N         instead: bytes of a registered subscriber, and how the cost of a registration grows, up to N of them
  --least N          with --memory: the smaller number it is compared with (10000)
  --fill-rate N      with --memory: registrations a second until there are so many, at most (2000)
  --reference N      with --memory: N seconds of Clearwater's reference load on so many subscribers afterwards (0)
  --stores           with --memory: registrations in two memcacheds and Cassandra, not in files
  --json             print the figures as JSON only`;

function whole(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 2_000_000)
    throw new Error(`--${name} ${text}: a whole number from ${least}`);
  return value;
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peer: { type: "boolean", default: false },
      "peer-only": { type: "boolean", default: false },
      chain: { type: "boolean", default: false },
      tracing: { type: "boolean", default: false },
      uncounted: { type: "boolean", default: false },
      before: { type: "string" },
      "at-once": { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "12" },
      "reg-rate": { type: "string", default: "400" },
      "call-rate": { type: "string", default: "200" },
      warmup: { type: "string", default: "20" },
      soak: { type: "string" },
      workers: { type: "string", default: "0" },
      "before-workers": { type: "string" },
      budget: { type: "boolean", default: false },
      "sample-us": { type: "string", default: "500" },
      write: { type: "boolean", default: false },
      memory: { type: "string" },
      least: { type: "string", default: "10000" },
      "fill-rate": { type: "string", default: "2000" },
      reference: { type: "string", default: "0" },
      stores: { type: "boolean", default: false },
      up: { type: "string", multiple: true, default: [] },
      "before-up": { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const plan: Plan = {
    seconds: whole(values.seconds, "seconds", 1),
    regRate: whole(values["reg-rate"], "reg-rate", 1),
    callRate: whole(values["call-rate"], "call-rate", 1),
    warmupSeconds: whole(values.warmup, "warmup", 0),
  };
  const { peer, chain, tracing, uncounted, before } = values;
  if (values["at-once"] && !peer && !chain && !tracing && !uncounted && before === undefined)
    throw new Error("--at-once goes with --peer, --chain, --tracing, --uncounted or --before");
  const workers = whole(values.workers, "workers", 0);
  const beforeWorkers = whole(values["before-workers"] ?? values.workers, "before-workers", 0);
  const soak = values.soak === undefined ? undefined : whole(values.soak, "soak", 10);
  const everyMicros = whole(values["sample-us"], "sample-us", 50);
  const memory =
    values.memory === undefined
      ? undefined
      : {
          least: whole(values.least, "least", 1),
          most: whole(values.memory, "memory", 2),
          fillRate: whole(values["fill-rate"], "fill-rate", 1),
          stores: values.stores,
          referenceSeconds: whole(values.reference, "reference", 0),
        };
  if (memory !== undefined && memory.most <= memory.least)
    throw new Error(`--memory ${memory.most}: more than --least, ${memory.least}`);
  if (soak === undefined && memory === undefined && !values.budget) sizesOf(plan);
  return {
    ...values,
    rounds: whole(values.rounds, "rounds", 1),
    plan,
    soak,
    workers,
    beforeWorkers,
    everyMicros,
    memory,
  };
}

type Starter = (lane: number) => Promise<SystemUnderTest>;

/** Takes the place of the one bench that may run on a machine; the place is free again when the process ends. */
function only(): Promise<boolean> {
  return new Promise((resolve) => {
    const place = createServer().once("error", () => resolve(false));
    place.listen(5069, "127.10.0.1", () => {
      place.unref();
      resolve(true);
    });
  });
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const withPeer = options.peer || options["peer-only"];
  const installer = join(import.meta.dirname, "../../scripts/install-test-tools");
  // Its standard output goes to ours' standard error: --json prints nothing but JSON.
  const tools = spawnSync("sh", [installer, "--sipp", ...(withPeer ? ["--peer"] : [])], {
    stdio: ["ignore", 2, 2],
  });
  if (tools.status !== 0) return 1;
  const say = (line: string): void => console.error(`bench: ${line}`);
  if (!(await only())) {
    console.error(
      "bench: another bench is running on this machine; both would use the same addresses of UEs",
    );
    return 1;
  }
  const running = new Set<SystemUnderTest>();
  for (const [name, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    process.once(name, () => {
      say(`${name}: stopping what was started`);
      void Promise.allSettled([...running].map((system) => system.stop())).finally(() =>
        process.exit(exitCode),
      );
    });
  if (options.soak !== undefined) return runSoak({ seconds: options.soak, up: options.up, say, running });
  if (options.memory !== undefined)
    return runMemory({ plan: { ...options.plan, ...options.memory }, up: options.up, say, running });
  if (options.budget) return budget(options, say, running);

  const { plan, before, workers } = options;
  const { warmup, pairs } = sizesOf(plan);
  const usersIn = (lane: number): User[] => [
    ...usersOf("a", warmup + pairs, 0, lane),
    ...usersOf("b", warmup + pairs, 0, lane),
  ];
  const args = options.up;
  const beforeArgs = options["before-up"]?.filter((arg) => arg !== "") ?? args;
  const starters: Starter[] = [];
  if (!options["peer-only"])
    starters.push((lane) => startOurs(usersIn(lane), { args, lane, workers, scraped: options.uncounted }));
  for (const company of ["chain", "tracing"] as const)
    if (options[company]) starters.push((lane) => startOurs(usersIn(lane), { args, lane, company, workers }));
  if (options.uncounted)
    starters.push((lane) => startOurs(usersIn(lane), { args, lane, uncounted: true, workers }));
  if (before !== undefined)
    starters.push((lane) =>
      startOurs(usersIn(lane), {
        ...{ args: beforeArgs, lane, checkout: resolve(before) },
        workers: options.beforeWorkers,
      }),
    );
  if (withPeer) starters.push((lane) => startTheirs(usersIn(lane), lane));
  const turns = options["at-once"] ? [starters] : starters.map((starter) => [starter]);
  const rounds: Round[] = [];
  for (let number = 1; number <= options.rounds; number++) {
    for (const turn of turns) {
      try {
        for (const [lane, start] of turn.entries()) running.add(await start(lane));
        for (const { name, version } of running)
          say(
            `round ${number} of ${options.rounds}: ${name} (${version}), ${2 * (warmup + pairs)} subscribers`,
          );
        rounds.push(...(await runRounds([...running], plan)));
      } finally {
        await Promise.all([...running].map((system) => system.stop()));
        running.clear();
      }
    }
  }
  const report = makeReport(plan, rounds);
  const path = saveJson("bench", report);
  console.log(options.json ? JSON.stringify(report) : formatReport(report));
  say(`figures in ${path}`);
  return 0;
}

async function budget(
  { plan, everyMicros, up, json, write }: ReturnType<typeof readOptions>,
  say: (line: string) => void,
  running: Set<SystemUnderTest>,
): Promise<number> {
  const budgets = await runBudget({ plan: { ...plan, everyMicros }, up, say, running });
  const { commit, date, node, machine } = makeReport(plan, []);
  const shown = budgets.map(withoutFrames);
  const path = saveJson("budget", { commit, date, node, machine, plan, everyMicros, budgets: shown });
  const from = `${machine}, Node ${node}, commit ${commit}, ${date.slice(0, 10)}`;
  saveDrawings(budgets, { from, folder: dirname(path) });
  console.log(json ? JSON.stringify(shown) : budgetText(budgets));
  say(`figures in ${path}, flame graphs beside it`);
  if (write) writeBudget(budgets, from);
  return budgets.every(({ failed }) => failed === 0) ? 0 : 1;
}

process.exitCode = await main();
