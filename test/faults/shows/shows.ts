import { processorTime, stolenBetween } from "../../support/stolen-time.ts";
import { OF_TIME } from "../history/violation.ts";
import { calm, MOST_STOLEN } from "../machine/calm.ts";
import { UNDISTURBED } from "../machine/machine-watch.ts";
import type { SuiteResult } from "../report/conclude.ts";
import { type CellFigures, notRun } from "../report/figures.ts";
import { rowLine } from "../report/table.ts";
import { type BenchOptions, openBench, record } from "../run/bench.ts";
import { EVERYTHING_KILLED } from "./everything-killed.ts";
import { KILLS } from "./kills.ts";
import { MEMCACHED_CLUSTER, MEMCACHED_CLUSTER_SHORT } from "./memcached-cluster.ts";
import { ROLLING_RESTART } from "./rolling-restart.ts";
import type { Show } from "./show.ts";

const SHOWS: readonly Show[] = [...KILLS, ROLLING_RESTART, EVERYTHING_KILLED, MEMCACHED_CLUSTER];
/** By name only: quicker forms of others. */
const FORMS: readonly Show[] = [MEMCACHED_CLUSTER_SHORT];

export function showNames(): string[] {
  return SHOWS.map(({ name }) => name);
}

/** As often is a run made again that was disturbed. */
const REPEATS = 3;

/** The long runs, each on a core of its own; `only`: names, separated by commas. */
export async function runShows(only: string, options: BenchOptions): Promise<SuiteResult> {
  const names = only === "" ? showNames() : only.split(",").map((name) => name.trim());
  const all = [...SHOWS, ...FORMS];
  const unknown = names.filter((name) => !all.some((show) => show.name === name));
  if (unknown.length > 0)
    throw new Error(`no run is called ${unknown.join(", ")}; --shows --list names them`);
  const cells: CellFigures[] = [];
  const disturbed: CellFigures[] = [];
  const { patienceMs } = options.options;
  for (const show of all.filter(({ name }) => names.includes(name))) {
    for (let run = 1; ; run++) {
      if (patienceMs > 0 && !(await calm(patienceMs)))
        options.say(`after ${patienceMs / 60_000} minutes the machine is still taken processor time from`);
      const name = run === 1 ? show.name : `${show.name}-${run}`;
      options.say(`--- ${name}`);
      const figures = await told(show, { ...options, folder: `${options.folder}/${name}` });
      const again = patienceMs > 0 && run <= REPEATS && wasDisturbed(figures);
      (again ? disturbed : cells).push(figures);
      if (!again) break;
      options.say(`    ${share(figures)} of the processors was stolen meanwhile: once more`);
    }
  }
  return { cells, disturbed, skipped: [] };
}

/** One show, its line, and what it fell short of. */
async function told(show: Show, options: BenchOptions): Promise<CellFigures> {
  const before = processorTime();
  let figures: CellFigures;
  try {
    figures = await runShow(show, { ...options, options: { ...options.options, ...show.options } });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    options.say(`${show.name} could not be run: ${what}`);
    figures = {
      ...notRun(show.name, { rule: "too little done", subject: show.name, what }),
      machine: { ...UNDISTURBED, stolen: stolenBetween(before, processorTime()) },
    };
  }
  options.say(rowLine(figures));
  for (const { rule, subject, what } of figures.violations.slice(0, 10))
    options.say(`    ${rule}: ${subject}: ${what}`);
  return figures;
}

/** Whether it missed times only, and the machine may be why. */
function wasDisturbed({ violations, machine }: CellFigures): boolean {
  return (
    machine.stolen > MOST_STOLEN && violations.length > 0 && violations.every(({ rule }) => OF_TIME.has(rule))
  );
}

const share = ({ machine }: CellFigures): string => `${(machine.stolen * 100).toFixed(0)} %`;

async function runShow(show: Show, options: BenchOptions): Promise<CellFigures> {
  const bench = await openBench({ ...options, hub: undefined });
  try {
    const figures = await show.run(bench, options.say);
    const { history } = bench.load.world;
    if (figures.violations.length > 0) record(options.folder, "history.json", history);
    return { ...figures, violations: [...figures.violations, ...show.limits(figures)] };
  } finally {
    await bench.close();
  }
}
