import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flameGraph } from "./flame-graph.ts";
import type { ProcedureBudget } from "./run.ts";
import { budgetMarkdown } from "./table.ts";

const DOCS = join(import.meta.dirname, "../../../docs");
const BEGIN = "<!-- budget: written by npm run bench -- --budget --write -->";
const END = "<!-- end of budget -->";

/** The drawing of a procedure's budget. */
export function drawingOf({ procedure, rate, parts }: ProcedureBudget, from: string): string {
  const processes = Object.entries(parts).map(([name, { micros, frames, steps }]) => ({
    name: `${name}, ${Math.round(micros)} us`,
    frames,
    beside: (["poll", "helpers"] as const).map((step) => ({ step, micros: steps[step]?.micros ?? 0 })),
  }));
  const micros = Object.values(parts).reduce((sum, part) => sum + part.micros, 0);
  return flameGraph({
    title: `One ${procedure}: ${Math.round(micros)} us of a processor`,
    subtitle: `${rate}/s, ${from}. Width is time, colour the step; below a function are those that it calls.`,
    parts: processes,
  });
}

/** Puts tables and drawings into the documents. Throws when the page has no place for them. */
export function writeBudget(budgets: readonly ProcedureBudget[], from: string): void {
  const page = join(DOCS, "performance.md");
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no place for the budget: ${BEGIN}`);
  const filled = `${BEGIN}\n\nMeasured on ${from}.\n\n${budgetMarkdown(budgets)}\n`;
  writeFileSync(page, text.slice(0, begin) + filled + text.slice(end));
  saveDrawings(budgets, { from, folder: join(DOCS, "figures") });
}

/** A flame graph of each procedure: `budget-<procedure>.svg`. */
export function saveDrawings(
  budgets: readonly ProcedureBudget[],
  { from, folder }: { readonly from: string; readonly folder: string },
): void {
  mkdirSync(folder, { recursive: true });
  for (const budget of budgets)
    writeFileSync(join(folder, `budget-${budget.procedure}.svg`), drawingOf(budget, from));
}
