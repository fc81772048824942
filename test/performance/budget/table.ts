import type { PartBudget, Spent } from "./reckon.ts";
import type { ProcedureBudget } from "./run.ts";
import { STEP_NAMES, STEPS, type Step } from "./steps.ts";

const NOTHING: Spent = { micros: 0, objects: 0, bytes: 0 };

const FUNCTIONS = 40;

/** Rows of a table: its head first. */
type Rows = readonly (readonly string[])[];

/** A procedure's budget: a row for each step in their order, microseconds by process, share of all, allocations. */
function rowsOf({ parts }: ProcedureBudget): Rows {
  const all = Object.values(parts);
  const sum = (of: (part: PartBudget) => number): number => all.reduce((total, part) => total + of(part), 0);
  const whole = sum(({ micros }) => micros);
  const objects = (part: PartBudget): number => steps(part).reduce((total, one) => total + one.objects, 0);
  const bytes = (part: PartBudget): number => steps(part).reduce((total, one) => total + one.bytes, 0);
  const row = (step: Step): string[] => {
    const at = (part: PartBudget): Spent => part.steps[step] ?? NOTHING;
    const micros = sum((part) => at(part).micros);
    return [
      step,
      ...all.map((part) => count(at(part).micros)),
      count(micros),
      `${((micros / whole) * 100).toFixed(1)} %`,
      count(sum((part) => at(part).objects)),
      kilobytes(sum((part) => at(part).bytes)),
      STEPS[step],
    ];
  };
  const used = STEP_NAMES.filter((step) =>
    all.some((part) => (part.steps[step]?.micros ?? 0) >= 0.05 || (part.steps[step]?.objects ?? 0) >= 0.5),
  );
  return [
    ["step", ...Object.keys(parts), "us", "share", "objects", "kB", "what it is"],
    ...used.map(row),
    [
      "all",
      ...all.map(({ micros }) => count(micros)),
      count(whole),
      "",
      count(sum(objects)),
      kilobytes(sum(bytes)),
      "",
    ],
    [
      "in the kernel",
      ...all.map(({ kernelShare }) => `${Math.round(kernelShare * 100)} %`),
      "",
      "",
      "",
      "",
      "of the above",
    ],
    [
      "profiler",
      ...all.map(({ profilerCost }) => `${profilerCost.toFixed(2)}`),
      "",
      "",
      "",
      "",
      "CPU with it, as a ratio to that without",
    ],
  ];
}

function steps({ steps: byStep }: PartBudget): readonly Spent[] {
  return Object.values(byStep);
}

function heading({ procedure, rate, failed, otherCores }: ProcedureBudget): string {
  return `${procedure}, ${rate}/s: microseconds of a processor, objects and kB allocated by one (${failed} failed, other load ${otherCores.toFixed(2)} cores at most)`;
}

export function budgetText(budgets: readonly ProcedureBudget[]): string {
  return budgets
    .map((budget) =>
      [heading(budget), ...aligned(rowsOf(budget)), "", ...functionsText(budget), ""].join("\n"),
    )
    .join("\n");
}

/** The dearest functions of each process: what they do themselves, and what the engine does for them. */
function functionsText({ parts }: ProcedureBudget): string[] {
  return Object.entries(parts).flatMap(([name, { functions, helpers }]) => [
    `  ${name}, helpers: ${threadsText(helpers)}`,
    `  ${name}, dearest functions`,
    ...aligned([
      ["us", "objects", "kB", "function", "file"],
      ...functions
        .slice(0, FUNCTIONS)
        .map((one) => [
          ...[one.micros.toFixed(1), one.objects.toFixed(1), kilobytes(one.bytes)],
          ...[one.functionName, one.file],
        ]),
    ]),
  ]);
}

export function budgetMarkdown(budgets: readonly ProcedureBudget[]): string {
  const tables = budgets.map((budget) => {
    const [head = [], ...rows] = rowsOf(budget);
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [
      `### ${budget.procedure === "call" ? "Call" : "Registration"}`,
      "",
      `At ${budget.rate}/s, of one; ${budget.failed} failed, other load ${budget.otherCores.toFixed(2)} cores at most.`,
      "",
      `![Flame graph of a ${budget.procedure}](figures/budget-${budget.procedure}.svg)`,
      "",
      line(head),
      line(head.map(() => "---")),
      ...rows.map(line),
      "",
    ].join("\n");
  });
  return tables.join("\n");
}

function threadsText(helpers: PartBudget["helpers"]): string {
  const dearest = Object.entries(helpers).sort(([, a], [, b]) => b - a);
  return dearest.map(([name, micros]) => `${name} ${micros.toFixed(1)} us`).join(", ");
}

/** As it is kept: frames are for the drawing. */
export function withoutFrames({ parts, ...budget }: ProcedureBudget): object {
  const kept = Object.entries(parts).map(([name, { frames: _, ...part }]) => [name, part]);
  return { ...budget, parts: Object.fromEntries(kept) };
}

function count(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

function aligned(rows: Rows): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}
