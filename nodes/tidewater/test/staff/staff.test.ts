import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { programOf } from "../../src/up/nodes.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

function run(
  args: readonly string[],
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, "staff", ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    child.stdin.end(input);
  });
}

test("tidewater staff makes the first administrator by the key of ellis, and the others", async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-staff-"));
  const options = [
    "--port",
    "0",
    "--management-port",
    "0",
    "--homestead",
    "http://127.0.0.1:9",
    "--log-level",
    "silent",
  ];
  const child = spawn(process.execPath, [programOf("ellis"), "--state-dir", stateDir, ...options], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(stateDir, { recursive: true, force: true });
  });
  const ready = await new Promise<{ ports: Record<string, number> }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { ports: Record<string, number> }));
    child.once("exit", () => reject(new Error("ellis did not start")));
  });
  const at = ["--url", `http://127.0.0.1:${ready.ports["http"]}`, "--state-dir", stateDir];

  const added = await run(["add", "Ann@example.com", "--role", "administrator", "--name", "Ann", ...at]);
  assert.equal(added.stderr, "");
  const [, password = ""] =
    /^added ann@example\.com as administrator, password (\S{20})\n$/.exec(added.stdout) ?? [];
  assert.notEqual(password, "");
  const given = await run(["add", "bob@example.com", "--password-stdin", ...at], "a long enough one\n");
  assert.equal(given.stdout, "added bob@example.com as viewer\n");
  assert.equal(
    (await run(["role", "bob@example.com", "operator", ...at])).stdout,
    "bob@example.com is operator\n",
  );
  const list = await run(["list", ...at]);
  assert.equal(list.stdout, "ann@example.com  administrator  Ann\nbob@example.com  operator  \n");
  assert.match((await run(["password", "bob@example.com", "--json", ...at])).stdout, /"password":"\S{20}"/);
  assert.equal((await run(["remove", "bob@example.com", ...at])).stdout, "removed bob@example.com\n");

  const again = await run(["add", "ann@example.com", ...at]);
  assert.deepEqual(
    [again.exitCode, again.stderr],
    [1, "tidewater: refused: That address is staff's already; change its role\n"],
  );
  writeFileSync(join(stateDir, "other"), "another key of somebody");
  const refused = await run(["list", ...at, "--api-key-file", join(stateDir, "other")]);
  assert.match(refused.stderr, /refused: Log in as staff first; is the key that of this ellis/);
  const nobody = await run(["list", "--url", "http://127.0.0.1:1", "--state-dir", stateDir]);
  assert.match(nobody.stderr, /nothing answers at http:\/\/127\.0\.0\.1:1: is ellis running/);
  assert.equal((await run(["add", "x@y.z", "--role", "king", ...at])).exitCode, 2);
});
