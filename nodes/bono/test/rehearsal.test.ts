import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { bonoOptions, rehearse } from "../src/index.ts";

const modules = { pacer: { received: () => undefined } };

/** Sockets of this process, those of the UDP add-on, too. */
function openSockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false; // what the folder was read with
    }
  }).length;
}

test("with a pools file a node registers and calls with itself before it serves, over TCP and UDP, and leaves nothing open", async () => {
  const before = openSockets();
  const resources = process.getActiveResourcesInfo().length;
  const done = await rehearse(bonoOptions.parse({ poolsFile: "pools.json", rehearsalMs: 1 }), modules);
  assert.deepEqual(done, { registrations: 8, calls: 8 });
  assert.ok(openSockets() <= before);
  // Timers end by themselves; files are read by whoever runs the test.
  const left = process.getActiveResourcesInfo().filter((name) => !/^(Timeout|FSReq\w*)$/.test(name));
  assert.ok(left.length <= resources, left.join(", "));
});

test("who is alone serves at once, and so does who is told not to rehearse", async () => {
  const none = { registrations: 0, calls: 0 };
  assert.deepEqual(await rehearse(bonoOptions.parse({}), modules), none);
  assert.deepEqual(await rehearse(bonoOptions.parse({ poolsFile: "p.json", rehearsalMs: 0 }), modules), none);
});

test("a rehearsal that does not come to an end is given up", async () => {
  const options = bonoOptions.parse({ poolsFile: "pools.json", rehearsalMs: 10_000 });
  const began = performance.now();
  const done = await rehearse(options, modules, 50);
  assert.ok(performance.now() - began < 5_000);
  assert.ok(done.registrations < 8 * 40);
});
