import type { Rule } from "../history/violation.ts";
import { type CellFigures, quantile } from "./figures.ts";

/** A cell that was not run, and why. */
export interface SkippedCell {
  readonly cell: string;
  readonly why: string;
}

const COLUMNS = [
  "cell",
  "faults",
  "procedures",
  "failed (excused)",
  "helped by UE",
  "REGISTER near: median, worst",
  "set-up near: median, worst",
  "BYE near: worst",
  "elsewhere: median, worst",
  "p99 of all",
  "own lag: p99, worst",
  "stolen",
  "verdict",
] as const;

/** The cells as a Markdown table; times in ms. */
export function table(cells: readonly CellFigures[]): string {
  const rows = cells.map((cell) => rowOf(cell));
  const widths = COLUMNS.map((name, at) =>
    Math.max(name.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(COLUMNS), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The head of lines as `rowLine` makes them. */
export const COLUMN_LINE = `| ${COLUMNS.join(" | ")} |`;

/** One cell while the others are still to come. */
export function rowLine(cell: CellFigures): string {
  return `| ${rowOf(cell).join(" | ")} |`;
}

function rowOf(cell: CellFigures): string[] {
  const { faults } = cell;
  const pair = (values: readonly number[]): string =>
    values.length === 0 ? "" : `${Math.round(quantile(values, 0.5))}, ${Math.round(Math.max(...values))}`;
  return [
    cell.cell,
    String(faults.length),
    String(cell.registrations + cell.calls),
    failures(cell),
    String(cell.helped),
    pair(faults.map(({ slowestRegister }) => slowestRegister)),
    pair(faults.map(({ slowestSetUp }) => slowestSetUp)),
    String(Math.round(Math.max(0, ...faults.map(({ slowestBye }) => slowestBye)))),
    pair(faults.flatMap(({ elsewhere }) => elsewhere)),
    String(Math.round(cell.p99)),
    `${Math.round(cell.machine.lag.p99)}, ${Math.round(cell.machine.lag.worst)}`,
    `${(cell.machine.stolen * 100).toFixed(1)} %`,
    cell.violations.length === 0 ? "kept" : `BROKEN: ${tally(cell)}`,
  ];
}

/** Cells not run, one line for each reason. */
export function skippedLines(skipped: readonly SkippedCell[]): string {
  return [...Map.groupBy(skipped, ({ why }) => why)]
    .map(([why, cells]) => `not applicable: ${why} (${cells.length} cells, ${cells[0]?.cell} and so on)`)
    .join("\n");
}

const FAILURES: ReadonlySet<Rule> = new Set(["registration failed", "call lost", "call cannot be ended"]);

/** What failed; in parentheses how much of it the fault excuses. */
function failures({ failed, violations }: CellFigures): string {
  const counted = violations.filter(({ rule }) => FAILURES.has(rule)).length;
  return failed > counted ? `${failed} (${failed - counted})` : String(failed);
}

function tally({ violations }: CellFigures): string {
  return [...Map.groupBy(violations, ({ rule }) => rule)]
    .map(([rule, ones]) => `${ones.length} x ${rule}`)
    .join("; ");
}
