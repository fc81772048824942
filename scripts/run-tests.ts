import { globSync, statSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";

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

const wanted = process.argv.slice(2);
const ci = process.env["CI"] === "true";
const count = { passed: 0, failed: 0, skipped: 0 };
const skips: string[] = [];
const failures: string[] = [];

function isWanted(file: string): boolean {
  if (wanted.length === 0) return true;
  return wanted.some(
    (path) =>
      file === path || (statSync(path, { throwIfNoEntry: false })?.isDirectory() && file.startsWith(path)),
  );
}

for (const phase of PHASES) {
  const files = phase.patterns
    .flatMap((pattern) => globSync(pattern, { exclude: (name) => name === "node_modules" }))
    .filter(isWanted)
    .sort();
  if (files.length === 0) continue;
  console.log(`\n=== ${phase.name}: ${files.length} files`);
  const stream = run({ files, concurrency: phase.concurrency, timeout: 600_000 });
  stream.on("test:pass", (event) => {
    const isSkipped = event.skip !== undefined || event.todo !== undefined;
    // The tests of a suite that is skipped are not told of: it counts itself.
    if ((event.details.type === "suite" && !isSkipped) || isFile(event.name)) return;
    if (!isSkipped) count.passed++;
    else {
      count.skipped++;
      skips.push(`${event.name}: ${event.skip ?? event.todo}`);
    }
  });
  stream.on("test:fail", (event) => {
    if (event.details.type === "suite") return;
    count.failed++;
    failures.push(`${event.file ?? ""} ${event.name}`);
  });
  const report = stream.compose(spec);
  for await (const chunk of report) process.stdout.write(chunk);
}

if (skips.length > 0) console.log(`\nSkipped:\n${skips.map((skip) => `  ${skip}`).join("\n")}`);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
if (wanted.length > 0 && count.passed + count.failed + count.skipped === 0)
  console.log(`\nNo test file is, or is in: ${wanted.join(", ")}`);
const refused = ci && count.skipped > 0;
if (refused)
  console.log("\nWith CI=true a skipped test is a failure: everything the tests need can be installed.");
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || refused || count.passed === 0 ? 1 : 0);

function isFile(name: string): boolean {
  return name.endsWith(".test.ts");
}
