import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { etcdMissing } from "../support/etcd.ts";

const SUITE = join(import.meta.dirname, "../faults/main.ts");
const WITHIN_MS = 420_000;

interface Results {
  readonly cells: readonly { readonly failed: number; readonly violations: readonly object[] }[];
}

test("memcached grows from 2 to 4, shrinks to 2, and a killed one is replaced under load: nothing fails, no binding is lost", {
  skip: etcdMissing() ?? false,
}, async () => {
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
  assert.deepEqual(
    cells.map(({ failed, violations }) => ({ failed, violations })),
    [{ failed: 0, violations: [] }],
    `histories and logs in ${folder}`,
  );
  assert.equal(code, 0, output.slice(-2000));
  rmSync(folder, { recursive: true, force: true });
});
