import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SuiteOptions } from "../command-line.ts";
import { drawing, type Strip } from "./drawing.ts";
import type { CellFigures } from "./figures.ts";
import { PUBLISHED } from "./published.ts";
import { type SkippedCell, skippedLines, table } from "./table.ts";

const DOCS = join(import.meta.dirname, "../../../docs");

export interface SuiteResult {
  readonly cells: readonly CellFigures[];
  /** Runs that were made again, because the machine was taken processor time from. */
  readonly disturbed?: readonly CellFigures[];
  readonly skipped: readonly SkippedCell[];
}

/** Prints the table, keeps table, figures and drawing, gives the exit code: 1 when something promised was not kept. */
export function conclude(
  { cells, skipped, disturbed = [] }: SuiteResult,
  options: SuiteOptions,
  folder: string,
  say: (line: string) => void,
): number {
  const runs =
    disturbed.length === 0 ? "" : `Made again, as others took processor time:\n\n${table(disturbed)}`;
  const text = [table(cells), runs, skippedLines(skipped)].filter(Boolean).join("\n\n");
  const results = {
    seed: options.seed,
    pools: options.pools,
    stores: options.stores,
    node: process.version,
    cells,
    disturbed,
    skipped,
  };
  const picture = drawing(strips(cells), subtitle(options));
  const figures = join(DOCS, "figures");
  const name = options.shows ? "faults-shows" : "faults";
  for (const one of options.save ? [folder, figures] : [folder]) {
    mkdirSync(one, { recursive: true });
    writeFileSync(join(one, `${name}.md`), `${text}\n`);
    writeFileSync(join(one, `${name}.svg`), picture);
  }
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, rounded, 1)}\n`);
  // A line a cell: what changes from run to run can be seen in a difference.
  if (options.save)
    writeFileSync(
      join(figures, `${name}.jsonl`),
      [{ ...results, cells: cells.length }, ...cells]
        .map((line) => `${JSON.stringify(line, rounded)}\n`)
        .join(""),
    );
  say(`\n${text}\n`);
  const broken = cells.filter(({ violations }) => violations.length > 0);
  say(
    broken.length === 0
      ? `${cells.length} cells, everything promised was kept`
      : `${broken.length} of ${cells.length} cells broke a promise: ${broken.map(({ cell }) => cell).join(", ")}`,
  );
  return broken.length === 0 && cells.length > 0 ? 0 : 1;
}

/** The kills, as published figures are about those. */
function strips(cells: readonly CellFigures[]): Strip[] {
  const of = (target: string) =>
    cells.filter(({ cell }) => cell.startsWith(`kill/${target}/`)).flatMap(({ faults }) => faults);
  const felt = (values: readonly number[]): number[] => values.filter((value) => value > 0);
  return [
    {
      title: "REGISTER, sprout killed",
      values: felt(of("sprout").map(({ slowestRegister }) => slowestRegister)),
      published: PUBLISHED.registration,
    },
    {
      title: "call set-up, sprout killed",
      values: felt(of("sprout").map(({ slowestSetUp }) => slowestSetUp)),
      published: PUBLISHED.call,
    },
    {
      title: "UE elsewhere, bono killed",
      values: felt(of("bono").flatMap(({ elsewhere }) => elsewhere)),
      published: PUBLISHED.pcscf,
    },
  ];
}

function subtitle({ pools, stores, registers, calls }: SuiteOptions): string {
  return `${pools} on ${stores}; ${registers} registrations and ${calls} calls a second; slowest procedure near each kill`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 10) / 10 : value;
}
