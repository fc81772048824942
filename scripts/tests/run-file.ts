import { relative, resolve } from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { processorTime, stolenBetween } from "../../test/support/stolen-time.ts";

/** One test may take so long, ms. */
const LONGEST_TEST = 600_000;
/** What the runner counts for a run as a whole: ours is one of many. */
const COUNTS = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** What came of a file of tests. */
export interface FileRun {
  readonly file: string;
  readonly passed: number;
  /** Names, with the reason behind a colon. */
  readonly skips: readonly string[];
  /** Names, where they are defined before them when that is another file. */
  readonly failures: readonly string[];
  readonly seconds: number;
  /** Share of the processor time that the host gave to other machines meanwhile, 0 to 1. */
  readonly stolen: number;
}

/** Runs a file in a process of its own and shows what happens in it to `told`. */
export async function runFile(file: string, told: (event: TestEvent) => void): Promise<FileRun> {
  const before = processorTime();
  const began = performance.now();
  let passed = 0;
  const skips: string[] = [];
  const failures: string[] = [];
  for await (const event of run({ files: [file], concurrency: 1, timeout: LONGEST_TEST })) {
    const { type, data } = event;
    if (
      type === "test:summary" ||
      (type === "test:diagnostic" && data.nesting === 0 && COUNTS.test(data.message))
    )
      continue;
    told(event);
    if (type === "test:pass") {
      if (isLeftOut(data.skip)) skips.push(`${data.name}: ${data.skip === true ? "skip" : data.skip}`);
      else if (isLeftOut(data.todo)) skips.push(`${data.name}: ${data.todo === true ? "todo" : data.todo}`);
      // The tests of a suite count, not itself; one that is skipped tells of none and counts.
      else if (data.details.type !== "suite" && !isFile(data.name)) passed++;
    } else if (type === "test:fail" && data.details.type !== "suite") {
      const elsewhere = data.file !== undefined && data.file !== resolve(file);
      failures.push(elsewhere ? `${relative(process.cwd(), data.file)} ${data.name}` : data.name);
    }
  }
  const seconds = (performance.now() - began) / 1000;
  return { file, passed, skips, failures, seconds, stolen: stolenBetween(before, processorTime()) };
}

function isLeftOut(why: string | boolean | undefined): boolean {
  return why !== undefined && why !== false;
}

function isFile(name: string): boolean {
  return name.endsWith(".test.ts");
}
