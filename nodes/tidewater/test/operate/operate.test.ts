import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  alarmList,
  alarmRoutes,
  createHealth,
  LogLevelSwitch,
  logRoutes,
  managementServer,
  metricsRegister,
  RecentLines,
  runtimeProblems,
} from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { tarOf } from "../../src/operate/tar.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function tidewater(...args: string[]): Promise<Result> {
  const child = spawn(process.execPath, [...process.execArgv, PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "tidewater-operate-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A management port as a node has it, told in a state directory. */
async function node(
  t: TestContext,
  stateDir: string,
  name: string,
): Promise<{ alarms: ReturnType<typeof alarmList>; level: LogLevelSwitch; url: string }> {
  const alarms = alarmList({ now: () => Date.UTC(2026, 0, 1) });
  const recent = new RecentLines();
  recent.before({ write: () => undefined }).write('{"msg":"a line of the log"}\n');
  const level = new LogLevelSwitch("warn", { log: memoryLogger("warn"), clock: fakeClock() });
  const health = createHealth(alarms);
  health.set("ready");
  const routes = [...alarmRoutes(name, alarms), ...logRoutes(level, recent)];
  const server = managementServer(
    { address: "127.0.0.1", port: 0 },
    { register: metricsRegister(), health, routes },
  );
  await server.start();
  t.after(() => server.stop());
  const url = `http://127.0.0.1:${server.port}`;
  tell(stateDir, { node: name, pid: process.pid, management: url });
  return { alarms, level, url };
}

function tell(stateDir: string, told: { node: string; pid: number; management: string }): void {
  mkdirSync(join(stateDir, "run"), { recursive: true });
  writeFileSync(join(stateDir, "run", `${told.node}-${told.pid}.json`), JSON.stringify(told));
}

/** The pid of a process that is gone. */
function gonePid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

test("tidewater alarms: what is wrong with all nodes, worst first; exit code 1 when anything is", async (t) => {
  const stateDir = folder(t);
  const sprout = await node(t, stateDir, "sprout");
  const bono = await node(t, stateDir, "bono");
  tell(stateDir, { node: "homestead", pid: gonePid(), management: "http://127.0.0.1:1" });
  const ask = (...more: string[]): Promise<Result> => tidewater("alarms", "--state-dir", stateDir, ...more);
  assert.deepEqual(await ask(), { code: 0, out: "no alarms: bono, sprout\n", err: "" });

  const { fileRefused, diskNearlyFull } = runtimeProblems;
  bono.alarms.raise(fileRefused, { object: "peers.json", text: "is not JSON" });
  sprout.alarms.raise(diskNearlyFull, { object: "/state", severity: "CRITICAL", text: "1 % free" });
  sprout.alarms.raise(fileRefused, { object: "old.json", text: "was wrong" });
  sprout.alarms.clear(fileRefused, "old.json");
  const host = (url: string): string => new URL(url).host;
  const time = "2026-01-01T00:00:00.000Z";
  const { code, out } = await ask();
  assert.equal(code, 1);
  assert.equal(
    out,
    [
      `CRITICAL      ${time}  sprout ${host(sprout.url)}  TW-1009 disk-nearly-full`,
      `  ${diskNearlyFull.summary}: /state: 1 % free`,
      `  ${diskNearlyFull.action}`,
      `MAJOR         ${time}  bono ${host(bono.url)}  TW-1005 file-refused`,
      `  ${fileRefused.summary}: peers.json: is not JSON`,
      `  ${fileRefused.action}`,
      "",
    ].join("\n"),
  );
  assert.match(
    (await ask("--cleared")).out,
    /CLEARED .* until .*TW-1005 file-refused\n.*old\.json: was wrong\n$/,
  );
  const json = JSON.parse((await ask("--json", "--node", "bono")).out);
  assert.deepEqual([json.well, json.nodes.length, json.nodes[0].active[0].problemId], [false, 1, "TW-1005"]);

  let resent = 0;
  bono.alarms.onChange((change) => {
    if (change === "resent") resent++;
  });
  await ask("--resend");
  assert.equal(resent, 1);
});

test("tidewater alarms: a node that does not answer is an error of its own; none at all too", async (t) => {
  const stateDir = folder(t);
  const none = await tidewater("alarms", "--state-dir", stateDir);
  assert.equal(none.code, 1);
  assert.match(
    none.err,
    /^tidewater: no node is running with the state directory .*\(--state-dir, or --url\)\n$/,
  );
  await node(t, stateDir, "sprout");
  tell(stateDir, { node: "bono", pid: process.pid, management: "http://127.0.0.1:1" });
  const { code, out, err } = await tidewater("alarms", "--state-dir", stateDir);
  assert.deepEqual([code, out], [1, "no alarms: sprout\n"]);
  assert.match(err, /^tidewater: bono \(http:\/\/127\.0\.0\.1:1\): /);
  assert.equal((await tidewater("alarms", "--url", "https://x")).code, 2);
});

test("tidewater alarms: what answers but is no node, or without end, is said to be that", async (t) => {
  const server = createServer((_request, response) => response.end('{"active":7}')).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, err } = await tidewater("alarms", "--url", url);
  assert.equal(code, 1);
  assert.match(err, /what answers there is no node of this release/);
});

test("tidewater log-level: shows and changes the level of running nodes, for a time", async (t) => {
  const stateDir = folder(t);
  const sprout = await node(t, stateDir, "sprout");
  const bono = await node(t, stateDir, "bono");
  const ask = (...more: string[]): Promise<Result> =>
    tidewater("log-level", "--state-dir", stateDir, ...more);
  assert.match((await ask()).out, /^bono .* warn\nsprout .* warn\n$/);
  const { code, out } = await ask("debug", "--for", "60", "--node", "sprout");
  assert.equal(code, 0);
  assert.match(out, /^sprout .* debug until 20.* \(configured: warn\)\n$/);
  assert.deepEqual([sprout.level.current, bono.level.current], ["debug", "warn"]);
  assert.equal((await ask("loud")).code, 2);
  assert.equal((await ask("--for", "60")).code, 2);
});

test("tidewater diagnose: one archive of what every node says, and which do not answer", async (t) => {
  const stateDir = folder(t);
  const sprout = await node(t, stateDir, "sprout");
  sprout.alarms.raise(runtimeProblems.fileRefused, { object: "x.json", text: "is not JSON" });
  tell(stateDir, { node: "bono", pid: process.pid, management: "http://127.0.0.1:1" });
  writeFileSync(join(stateDir, "subscriber-key"), "TELLTALE");
  const out = join(stateDir, "d.tar.gz");
  const first = await tidewater("diagnose", "--state-dir", stateDir, "--out", out);
  assert.equal(first.code, 1);
  assert.match(first.out, /d\.tar\.gz: 1 of 2 nodes answered\./);
  assert.equal(statSync(out).mode & 0o777, 0o600);

  const unpacked = folder(t);
  assert.equal(spawnSync("tar", ["-xzf", out, "-C", unpacked]).status, 0);
  const root = join(unpacked, readdirSync(unpacked)[0] ?? "");
  assert.deepEqual(readdirSync(root).sort(), ["sprout", "state-dir.txt", "summary.json", "system.json"]);
  assert.deepEqual(readdirSync(join(root, "sprout")).sort(), [
    "alarms.json",
    "health.txt",
    "log-level.json",
    "log.jsonl",
    "metrics.txt",
  ]);
  const read = (name: string): string => readFileSync(join(root, name), "utf8");
  assert.equal(JSON.parse(read("sprout/alarms.json")).active[0].problemId, "TW-1005");
  assert.equal(read("sprout/log.jsonl"), '{"msg":"a line of the log"}\n');
  assert.equal(read("sprout/health.txt"), "ready\n");
  assert.match(read("state-dir.txt"), / 8 \S+ \S+ subscriber-key$/m);
  const nodes = JSON.parse(read("summary.json")).nodes;
  assert.deepEqual(
    nodes.map((one: { node: string; answers: boolean; failures: string[] }) => [
      one.node,
      one.answers,
      one.failures.length,
    ]),
    [
      ["bono", false, 1],
      ["sprout", true, 1],
    ],
  );
  assert.ok(!spawnSync("tar", ["-xzOf", out]).stdout.includes("TELLTALE"));

  const again = await tidewater("diagnose", "--state-dir", stateDir, "--out", out);
  assert.equal(again.code, 1);
  assert.match(again.err, /d\.tar\.gz: file already exists/);
});

test("an archive is one that tar reads, whatever the sizes of its files", (t) => {
  const made = folder(t);
  const contents = [0, 1, 511, 512, 513, 100_000].map((size) => "x".repeat(size));
  const entries = contents.map((content, index) => ({ name: `a/${index}.txt`, content }));
  writeFileSync(join(made, "a.tar"), tarOf(entries, Date.UTC(2026, 0, 1)));
  assert.equal(spawnSync("tar", ["-xf", join(made, "a.tar"), "-C", made]).status, 0);
  for (const [index, content] of contents.entries())
    assert.equal(readFileSync(join(made, `a/${index}.txt`), "utf8"), content);
  for (const name of ["", "ö", "x".repeat(100), "a b"])
    assert.throws(() => tarOf([{ name, content: "" }], 0), RangeError);
});
