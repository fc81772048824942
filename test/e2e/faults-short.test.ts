import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const SUITE = join(import.meta.dirname, "../faults/main.ts");
const WITHIN_MS = 420_000;

/** A load that two busy processors carry: what is judged is what is kept, not how fast. */
const GENTLE = ["--registers", "8", "--calls", "8", "--subscribers", "36"];

interface Results {
  readonly cells: readonly { readonly cell: string; readonly violations: readonly object[] }[];
  readonly skipped: readonly { readonly cell: string; readonly why: string }[];
}

test("the short form of the fault suite: what is promised is kept while members are killed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-faults-short-"));
  const args = ["--short", "--out", folder, ...GENTLE];
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const deadline = setTimeout(() => child.kill("SIGTERM"), WITHIN_MS);
  const code = await new Promise((done) => child.once("exit", done));
  clearTimeout(deadline);
  process.stdout.write(output);

  const results: Results = JSON.parse(readFileSync(join(folder, "faults.json"), "utf8"));
  for (const { cell, violations } of results.cells)
    await t.test(cell, () => assert.deepEqual(violations, [], `histories and logs in ${folder}`));
  for (const { cell, why } of results.skipped) await t.test(cell, (one) => one.skip(why));
  assert.ok(results.cells.length > 0, output);
  assert.equal(code, 0, output.slice(-2000));
  rmSync(folder, { recursive: true, force: true });
});
