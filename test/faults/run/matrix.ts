import { cellsFor, nameOf, notApplicable } from "../nemesis/cells.ts";
import type { SuiteResult } from "../report/conclude.ts";
import { type CellFigures, notRun } from "../report/figures.ts";
import { COLUMN_LINE, rowLine, type SkippedCell } from "../report/table.ts";
import { type Bench, type BenchOptions, openBench, record } from "./bench.ts";
import { runCell } from "./run-cell.ts";

/** The cells a pattern names, one after the other on one core; those with partitions on a second one. */
export async function runMatrix(
  pattern: string,
  rounds: number,
  options: BenchOptions,
  noNamespaces: string | undefined,
): Promise<SuiteResult> {
  const skipped: SkippedCell[] = [];
  const done: CellFigures[] = [];
  const sizes = sizesOf(options.options);
  const wanted = cellsFor(pattern === "" ? "*/*/*" : pattern);
  if (wanted.length === 0) throw new Error(`no cell is called ${pattern}; --list names them`);
  const possible = wanted.filter((cell) => {
    const why = notApplicable(cell, sizes, noNamespaces);
    if (why !== undefined) skipped.push({ cell: nameOf(cell), why });
    return why === undefined;
  });
  const groups = [
    { cells: possible.filter(({ fault }) => fault !== "partition"), hub: undefined, name: "core" },
    { cells: possible.filter(({ fault }) => fault === "partition"), hub: options.hub, name: "core-apart" },
  ];
  options.say(COLUMN_LINE);
  for (const { cells, hub, name } of groups) {
    if (cells.length === 0) continue;
    let bench: Bench | undefined;
    let started = 0;
    try {
      for (const cell of cells) {
        bench ??= await openBench({ ...options, folder: `${options.folder}/${name}-${++started}`, hub });
        try {
          const { figures, history, faults } = await runCell(cell, rounds, bench);
          done.push(figures);
          options.say(rowLine(figures));
          for (const { rule, subject, what } of figures.violations.slice(0, 5))
            options.say(`    ${rule}: ${subject}: ${what}`);
          if (figures.violations.length > 0)
            record(options.folder, `history-${nameOf(cell).replaceAll("/", "-")}.json`, { faults, history });
        } catch (error) {
          const what = error instanceof Error ? error.message : String(error);
          options.say(`${nameOf(cell)}: could not be run: ${what}\n${bench.core.tail(8)}`);
          done.push(notRun(nameOf(cell), { rule: "not answered", subject: "the core", what }));
          await bench.close();
          bench = undefined;
        }
      }
    } finally {
      await bench?.close();
    }
  }
  return { cells: done, skipped };
}

/** Members of each pool and store as asked for on the command line. */
export function sizesOf({ pools, stores }: { pools: string; stores: string }): Map<string, number> {
  const usual: Readonly<Record<string, number>> = { memcached: 2, cassandra: 1 };
  const sizes = new Map<string, number>();
  for (const part of `${pools},${stores === "none" ? "" : stores}`.split(",")) {
    const [name = "", count] = part.trim().split("=");
    if (name !== "") sizes.set(name, count === undefined ? (usual[name] ?? 1) : Number(count));
  }
  return sizes;
}
