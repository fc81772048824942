import { globSync, statSync } from "node:fs";
import { finished } from "node:stream/promises";
import { spec, type TestEvent } from "node:test/reporters";
import { MOST_STOLEN } from "../test/support/stolen-time.ts";
import { filesToRunAgain, TRIES, toldOfSecondTry } from "./tests/again.ts";
import { type FileRun, runFile } from "./tests/run-file.ts";

/** Unit tests share the cores; what starts a whole core or a real peer runs one file at a time. */
const PHASES = [
  {
    name: "unit",
    patterns: [
      "nodes/**/test/**/*.test.ts",
      "vnf/test/**/*.test.ts",
      "etcd-cluster/test/**/*.test.ts",
      "test/architecture/*.test.ts",
      "test/packaging/*.test.ts",
      "test/faults/**/*.test.ts",
      "test/performance/**/*.test.ts",
    ],
    concurrency: 2,
  },
  {
    name: "conformance and integration",
    patterns: ["test/conformance/**/*.test.ts", "test/integration/**/*.test.ts", "test/interop/*.test.ts"],
    concurrency: 1,
  },
  { name: "end to end", patterns: ["test/e2e/*.test.ts", "test/regression/*.test.ts"], concurrency: 1 },
] as const;

const SLOWEST = 15;
const wanted = process.argv.slice(2);
const ci = process.env["CI"] === "true";

function isWanted(file: string): boolean {
  if (wanted.length === 0) return true;
  return wanted.some(
    (path) =>
      file === path || (statSync(path, { throwIfNoEntry: false })?.isDirectory() && file.startsWith(path)),
  );
}

/** Runs files, so many at a time; of each what it says comes in one piece when several run. */
async function runFiles(files: readonly string[], concurrency: number): Promise<FileRun[]> {
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  const left = [...files];
  const runs: FileRun[] = [];
  const take = async (): Promise<void> => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const said: TestEvent[] = [];
      const told = (event: TestEvent): void =>
        void (concurrency > 1 ? said.push(event) : reporter.write(event));
      runs.push(await runFile(file, told));
      for (const event of said) reporter.write(event);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, take));
  reporter.end();
  await finished(reporter);
  return runs;
}

const firsts: FileRun[] = [];
for (const { name, patterns, concurrency } of PHASES) {
  const files = patterns
    .flatMap((pattern) => globSync(pattern, { exclude: (path) => path === "node_modules" }))
    .filter(isWanted)
    .sort();
  if (files.length === 0) continue;
  console.log(`\n=== ${name}: ${files.length} files`);
  firsts.push(...(await runFiles(files, concurrency)));
}

const again = filesToRunAgain(firsts);
if (again.length > 0)
  console.log(
    `\n=== again: ${again.length} files that failed while the host took more than ${MOST_STOLEN * 100} % of the processor time`,
  );
const rescued: string[] = [];
/** Every file's last run. */
const last = new Map(firsts.map((one) => [one.file, one]));
for (const first of again) {
  const runs = [first];
  while (runs.length < TRIES && runs.at(-1)?.failures.length !== 0)
    runs.push(...(await runFiles([first.file], 1)));
  last.set(first.file, runs.at(-1) ?? first);
  if (runs.at(-1)?.failures.length === 0) rescued.push(toldOfSecondTry(runs));
}

const all = [...last.values()];
const skips = all.flatMap((one) => one.skips);
const failures = all.flatMap((one) => one.failures.map((failure) => `${one.file} ${failure}`));
const passed = all.reduce((sum, one) => sum + one.passed, 0);
if (wanted.length === 0) {
  const lines = firsts.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  const line = ({ file, seconds, stolen }: FileRun): string =>
    `${seconds.toFixed(1)} s ${file}, ${Math.round(stolen * 100)} % stolen`;
  list("Slowest", lines.map(line));
}
list("Skipped", skips);
list("Passed when run again", rescued);
list("Failed", failures);
if (wanted.length > 0 && passed + failures.length + skips.length === 0)
  console.log(`\nNo test file is, or is in: ${wanted.join(", ")}`);
const refused = ci && skips.length > 0;
if (refused)
  console.log("\nWith CI=true a skipped test is a failure: everything the tests need can be installed.");
console.log(`\n${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
process.exit(failures.length > 0 || refused || passed === 0 ? 1 : 0);

function list(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
