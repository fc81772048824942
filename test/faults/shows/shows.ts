import { type CellFigures, notRun } from "../report/figures.ts";
import { rowLine } from "../report/table.ts";
import { type BenchOptions, openBench, record } from "../run/bench.ts";
import type { MatrixResult } from "../run/matrix.ts";
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

/** The long runs, each on a core of its own; `only`: names, separated by commas. */
export async function runShows(only: string, options: BenchOptions): Promise<MatrixResult> {
  const names = only === "" ? showNames() : only.split(",").map((name) => name.trim());
  const all = [...SHOWS, ...FORMS];
  const unknown = names.filter((name) => !all.some((show) => show.name === name));
  if (unknown.length > 0)
    throw new Error(`no run is called ${unknown.join(", ")}; --shows --list names them`);
  const cells: CellFigures[] = [];
  for (const show of all.filter(({ name }) => names.includes(name))) {
    const folder = `${options.folder}/${show.name}`;
    options.say(`--- ${show.name}`);
    let figures: CellFigures;
    try {
      figures = await runShow(show, { ...options, folder, options: { ...options.options, ...show.options } });
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      options.say(`${show.name} could not be run: ${what}`);
      figures = notRun(show.name, { rule: "too little done", subject: show.name, what });
    }
    cells.push(figures);
    options.say(rowLine(figures));
    for (const { rule, subject, what } of figures.violations.slice(0, 10))
      options.say(`    ${rule}: ${subject}: ${what}`);
  }
  return { cells, skipped: [] };
}

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
