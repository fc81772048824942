import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Operation, Plan, Round } from "./round.ts";
import { SYSTEM_NAMES } from "./system.ts";

export type Report = {
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly plan: Plan;
  readonly rounds: readonly Round[];
};

export function makeReport(plan: Plan, rounds: readonly Round[]): Report {
  const processors = cpus();
  return {
    commit: commit(),
    date: new Date().toISOString(),
    node: process.version,
    machine: `${processors.length} x ${processors[0]?.model.trim() ?? "unknown"}`,
    plan,
    rounds,
  };
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" });
    return `${git("rev-parse", "--short", "HEAD").trim()}${git("status", "--porcelain").trim() === "" ? "" : "+changes"}`;
  } catch {
    return "unknown";
  }
}

/** Writes the figures where git does not look and gives the path. */
export function saveJson(name: string, value: object): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.json`);
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  return path;
}

/** The report as text: a table per operation, medians with the smallest and largest value of the rounds. */
export function formatReport({ plan, rounds }: Report): string {
  const lines: string[] = [];
  const systems = SYSTEM_NAMES.filter((name) => rounds.some(({ system }) => system === name));
  const of = (name: string): Round[] => rounds.filter(({ system }) => system === name);
  for (const [title, rate, pick] of [
    ["registration", plan.regRate, (round: Round) => round.registration],
    ["call", plan.callRate, (round: Round) => round.call],
  ] as const) {
    const table = [["", ...systems]];
    const row = (what: string, value: (operation: Operation) => number): void => {
      table.push([what, ...systems.map((name) => spread(of(name).map((round) => value(pick(round)))))]);
    };
    row("CPU us, user+sys", (operation) => operation.cpuMicros);
    row("  with the HSS", (operation) => operation.cpuMicros + operation.hssCpuMicros);
    row("  HSS alone", (operation) => operation.hssCpuMicros);
    for (const exchange of Object.keys(pick(rounds[0] as Round).responseTimes)) {
      row(`${exchange} p50 ms`, (operation) => operation.responseTimes[exchange]?.p50 ?? Number.NaN);
      row(`${exchange} p99 ms`, (operation) => operation.responseTimes[exchange]?.p99 ?? Number.NaN);
    }
    row("done", (operation) => operation.ok);
    row("failed", (operation) => operation.failed);
    row("retransmitted by UEs", (operation) => operation.retransmissions);
    row("SIPp CPU us", (operation) => operation.sippCpuMicros);
    row("other load, cores", (operation) => operation.otherCores);
    lines.push(
      "",
      `${title}, ${rate}/s, median [min-max] of ${of(systems[0] ?? "ours").length} round(s)`,
      ...align(table),
    );
    for (const name of systems) lines.push(`  ${name} by part: ${parts(of(name).map(pick))}`);
    for (const other of systems.slice(1))
      if (systems[0] === "ours") lines.push(ratios(other, of("ours").map(pick), of(other).map(pick)));
  }
  lines.push("", "memory, bytes per registered subscriber (growth of resident memory, HSS not counted)");
  for (const name of systems) {
    const bytes = of(name).map(({ bytesPerSubscriber }) => bytesPerSubscriber);
    lines.push(
      `  ${name}: PSS ${spread(bytes.map(({ pss }) => pss))}, RSS ${spread(bytes.map(({ rss }) => rss))}`,
    );
  }
  for (const round of rounds)
    for (const operation of [round.registration, round.call])
      if (operation.complaints !== undefined)
        lines.push("", `${round.system} failed, first complaints:`, operation.complaints);
  return lines.join("\n");
}

function parts(operations: readonly Operation[]): string {
  const names = Object.keys(operations[0]?.cpuMicrosByPart ?? {});
  return names
    .map((part) => `${part} ${spread(operations.map((one) => one.cpuMicrosByPart[part] ?? 0))}`)
    .join(", ");
}

/** Ratio of each round: what ran in the same minute. */
function ratios(other: string, ours: readonly Operation[], theirs: readonly Operation[]): string {
  const ratio = (value: (operation: Operation) => number): string =>
    spread(ours.map((one, index) => round2(value(one) / value(theirs[index] ?? one))));
  return `  ratio ours/${other}: ${ratio((one) => one.cpuMicros)} without HSS, ${ratio((one) => one.cpuMicros + one.hssCpuMicros)} with HSS`;
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  const median = round2(
    ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2,
  );
  return values.length < 2 ? `${median}` : `${median} [${Math.min(...values)}-${Math.max(...values)}]`;
}

const round2 = (value: number): number => Math.round(value * 100) / 100;

function align(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}
