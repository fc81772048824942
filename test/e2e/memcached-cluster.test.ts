import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Rule, Violation } from "../faults/history/violation.ts";
import { MOST_STOLEN } from "../faults/machine/calm.ts";
import { etcdMissing } from "../support/etcd.ts";

const SUITE = join(import.meta.dirname, "../faults/main.ts");
const WITHIN_MS = 420_000;

interface Results {
  readonly cells: readonly {
    readonly failed: number;
    readonly violations: readonly Violation[];
    readonly machine: { readonly stolen: number };
  }[];
}

/** What a machine that is taken processor time from may cost: a REGISTER is told when to come again. Calls and bindings are not among it. */
const OF_STARVATION: ReadonlySet<Rule> = new Set<Rule>([
  "registration failed",
  "slower than promised",
  "too little done",
]);

test("memcached grows from 2 to 4, shrinks to 2, and a killed one is replaced under load: nothing fails, no binding is lost", {
  skip: etcdMissing() ?? false,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-memcached-cluster-"));
  const args = ["--shows", "--only", "memcached-cluster-short", "--out", folder];
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const deadline = setTimeout(() => child.kill("SIGTERM"), WITHIN_MS);
  const code = await new Promise((done) => child.once("exit", done));
  clearTimeout(deadline);
  process.stdout.write(output);
  const { cells }: Results = JSON.parse(readFileSync(join(folder, "faults-shows.json"), "utf8"));
  assert.equal(cells.length, 1, output.slice(-2000));
  for (const { failed, violations, machine } of cells) {
    const isStarved = machine.stolen > MOST_STOLEN;
    if (isStarved) t.diagnostic(`${(machine.stolen * 100).toFixed(0)} % of the processors was stolen`);
    const broken = isStarved ? violations.filter(({ rule }) => !OF_STARVATION.has(rule)) : violations;
    assert.deepEqual(broken, [], `histories and logs in ${folder}`);
    if (isStarved) continue;
    assert.equal(failed, 0);
    assert.equal(code, 0, output.slice(-2000));
  }
  rmSync(folder, { recursive: true, force: true });
});
