import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const PROGRAM = join(import.meta.dirname, "../../../bin/tidewater.ts");

function stateDir(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("tidewater up says what cannot be before anything is started; wrong use is exit code 2", (t) => {
  const folder = stateDir(t);
  const cases: [string[], number, RegExp][] = [
    [["up", "--pools", "sprout=2"], 2, /^tidewater: sprout=2 needs --stores memcached, cassandra or both/],
    [
      ["up", "--pools", "homestead=2", "--stores", "memcached"],
      2,
      /^tidewater: homestead=2 needs --stores cassandra/,
    ],
    [["up", "--pools", "bono=2", "--host", "127.0.0.1"], 2, /--host goes without --pools/],
    [["up", "--no-restart"], 2, /--no-restart goes with --pools only/],
    [["up", "--set", "sprout-2.log-level=debug"], 2, /--set sprout-2: members of a pool/],
    [["up", "--turn"], 2, /--turn goes with --ellis/],
    [["up", "--media-gateway", "--host", "0.0.0.0"], 2, /--media-gateway needs the address that phones use/],
    [["up", "--media-gateway", "often"], 2, /often/],
    [["up", "--media-gateway", "--pools", "bono=2"], 2, /--media-gateway goes without --pools/],
    [["up", "--pools", "bono=1", "--mmtel"], 2, /--mmtel goes without --pools/],
    [["up", "--pools", "vellum=2"], 2, /"vellum=2" is none of homestead/],
    [["up", "--pools", "bono=1", "--network", "10.0"], 2, /Write it as 127\.0/],
    [["up", "--workers", "2"], 2, /--workers 2 needs --stores memcached, cassandra or both/],
    [["up", "--workers", "many"], 2, /Write a number from 1 to 64, or auto/],
    [
      ["up", "--workers", "2", "--stores", "memcached", "--pools", "bono=2"],
      2,
      /--workers says how many bonos/,
    ],
    [
      ["up", "--workers", "2", "--stores", "memcached", "--set", "bono.ibcf-peers-file=/p.json"],
      2,
      /--workers goes without an IBCF/,
    ],
    [["up", "--workers", "2", "--stores", "memcached", "--mmtel"], 2, /--mmtel goes without --pools/],
    [
      ["up", "--workers", "2", "--stores", "memcached", "--set", "bono.sip-port=0"],
      1,
      /workers share a port, which must be known/,
    ],
  ];
  for (const [args, exitCode, message] of cases) {
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args, "--state-dir", folder], {
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.match(stderr, message);
    assert.equal(status, exitCode, args.join(" "));
  }
});

test("a signal while pools are starting ends what has started", async (t) => {
  const folder = stateDir(t);
  const args = [
    "up",
    "--pools",
    "bono=2",
    "--stores",
    "memcached",
    "--network",
    "127.251",
    "--state-dir",
    folder,
  ];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let stderr = "";
  await new Promise<void>((resolve) =>
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (stderr.includes("starting homestead-1")) resolve();
    }),
  );
  child.kill("SIGTERM");
  const status = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(status, 1, stderr);
  assert.match(stderr, /stopped before everything was ready/);
  const left = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout;
  assert.doesNotMatch(left, /127\.251\.[0-9]\.1/);
});
