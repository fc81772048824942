import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CoreNodes, isNamedNode } from "../../src/core-view/core-nodes.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ellis-core-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const NONE = { nodes: [], runDir: "", poolsFile: "" };

test("members come from the pools file as it is now; one that cannot be read leaves the last good one in force, and is told", (t) => {
  const poolsFile = join(folder(t), "pools.json");
  const member = (name: string, address: string, more = {}) => ({ name, addresses: [address], ...more });
  const write = (members: object[]) =>
    writeFileSync(
      poolsFile,
      JSON.stringify({
        version: 1,
        domain: "example.com",
        pools: [
          { name: "sprout", services: [], members },
          { name: "memcached", services: [], members: [member("memcached-1", "192.0.2.9")] },
        ],
      }),
    );
  write([
    member("sprout-10", "198.51.100.10", { management: "192.0.2.10" }),
    member("sprout-2", "2001:db8::2", { site: "east", draining: true }),
  ]);
  const nodes = new CoreNodes({ ...NONE, nodes: ["bono=http://192.0.2.1:9101"], poolsFile });
  assert.deepEqual(nodes.list(), [
    { name: "bono", kind: "bono", url: "http://192.0.2.1:9101", draining: false },
    { name: "sprout-2", kind: "sprout", url: "http://[2001:db8::2]:9102", site: "east", draining: true },
    { name: "sprout-10", kind: "sprout", url: "http://192.0.2.10:9102", site: undefined, draining: false },
  ]);
  writeFileSync(poolsFile, "{");
  assert.equal(nodes.list().length, 3);
  assert.equal(nodes.problem, "the pools file is not JSON");
  rmSync(poolsFile);
  nodes.list();
  assert.match(nodes.problem ?? "", /cannot be read: ENOENT/);
  write([]);
  assert.deepEqual([nodes.list().length, nodes.problem], [1, undefined]);
});

test("in a run folder a process that died without a word is missed, one of an earlier run is not, and members get names of their own", async (t) => {
  const runDir = folder(t);
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const ended = once(child, "exit");
  t.after(() => child.kill("SIGKILL"));
  const write = (file: string, content: object | string) =>
    writeFileSync(join(runDir, file), typeof content === "string" ? content : JSON.stringify(content));
  write("sprout-1.json", { node: "sprout", pid: process.pid, management: "http://127.0.0.2:9102" });
  write("sprout-2.json", { node: "sprout", pid: child.pid, management: "http://127.0.0.1:9102/" });
  // No process has such an id.
  write("sprout-3.json", { node: "sprout", pid: 4_194_305, management: "http://127.0.0.3:9102" });
  write("torn.json", '{"node":');
  write("strange.json", { node: "../x", pid: 1, management: "javascript:alert(1)" });
  const nodes = new CoreNodes({ ...NONE, runDir });
  const shown = () => nodes.list().map(({ name, url }) => `${name} ${url}`);
  const both = ["sprout-1 http://127.0.0.1:9102", "sprout-2 http://127.0.0.2:9102"];
  assert.deepEqual(shown(), both);
  child.kill("SIGKILL");
  await ended;
  assert.deepEqual(shown(), both, "killed, and still missed");
  rmSync(join(runDir, "sprout-2.json"));
  assert.deepEqual(shown(), ["sprout http://127.0.0.2:9102"], "stopped in order");
});

test("a node is named as NAME=URL of its management port and nothing else", () => {
  for (const good of ["bono=http://127.0.0.1:9101", "sprout-2.east=https://[2001:db8::1]:9102/"])
    assert.ok(isNamedNode(good), good);
  for (const bad of [
    "http://127.0.0.1:9101",
    "bono=ftp://h",
    "bono=http://",
    "b o=http://h",
    "bono=http://h/x?y",
  ])
    assert.ok(!isNamedNode(bad), bad);
});
