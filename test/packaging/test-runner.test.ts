import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { filesToRunAgain, toldOfSecondTry } from "../../scripts/tests/again.ts";
import type { FileRun } from "../../scripts/tests/run-file.ts";

const ran = (file: string, more: Partial<FileRun> = {}): FileRun => ({
  ...{ file, passed: 1, skips: [], failures: [], seconds: 1, stolen: 0 },
  ...more,
});
const failed = { failures: ["it works"] };

const RUN_FILE = join(import.meta.dirname, "../../scripts/tests/run-file.ts");

/** What `runFile` gives, and the types of the events it shows. In a process of its own: a test runs no tests. */
function run(file: string): { one: FileRun; types: string[] } {
  const runner = `${file}.runner.ts`;
  writeFileSync(
    runner,
    `import { runFile } from ${JSON.stringify(RUN_FILE)};
    const types: string[] = [];
    const one = await runFile(${JSON.stringify(file)}, ({ type }) => void types.push(type));
    process.stdout.write(JSON.stringify({ one, types }));`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return JSON.parse(execFileSync(process.execPath, [runner], { env, encoding: "utf8" }));
}

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "test-runner-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "some.test.ts");
  writeFileSync(file, text);
  return file;
}

test("what fails while processor time is stolen is run again, and nothing else", () => {
  const disturbed = ran("b", { ...failed, stolen: 0.4 });
  const runs = [ran("a", { stolen: 0.4 }), disturbed, ran("c", failed)];
  assert.deepEqual(filesToRunAgain(runs), [disturbed]);
});

test("when many files fail it is not the machine", () => {
  const many = Array.from({ length: 13 }, (_, index) => ran(`${index}`, { ...failed, stolen: 0.4 }));
  assert.deepEqual(filesToRunAgain(many), []);
  assert.equal(filesToRunAgain(many.slice(1)).length, 12);
});

test("who passes later is named with what failed before", () => {
  const tries = [ran("b", { ...failed, stolen: 0.4 }), ran("b", { stolen: 0.1 })];
  assert.equal(toldOfSecondTry(tries), "b: try 2 passed; stolen 40 %, then 10 %; failed before: it works");
});

test("a file is run by itself: what passed, failed and was skipped is counted, suites are not", (t) => {
  const file = fileOf(
    t,
    `import { describe, test } from "node:test";
    describe("a suite", () => {
      test("passes", () => {});
      test("fails", () => { throw new Error("no"); });
    });
    describe("none of it", { skip: "no such peer" }, () => test("never", () => {}));
    test("later", { todo: true }, () => {});`,
  );
  const { one, types } = run(file);
  const { passed, failures, skips } = one;
  assert.deepEqual({ passed, failures }, { passed: 1, failures: ["fails"] });
  assert.deepEqual(skips, ["none of it: no such peer", "later: todo"]);
  assert.ok(types.includes("test:fail") && !types.includes("test:summary"));
});

test("a file that cannot be read, and one that ends in the middle, has failed", (t) => {
  for (const text of [
    "import 'no-such-module';",
    `import { test } from "node:test"; test("x", () => process.exit(3));`,
  ]) {
    const { passed, failures } = run(fileOf(t, text)).one;
    assert.equal(passed, 0);
    assert.ok(failures.length > 0, text);
  }
});
