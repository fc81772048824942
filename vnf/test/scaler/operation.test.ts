import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { scalePool } from "../../src/lcm/scale.ts";
import { setUp, sizeOf } from "../../testing/scaler-setting.ts";

test("stopped in the middle and started again: it goes on with what it had begun, and remembers the cool-down", async (t) => {
  const set = await setUp(t);
  const { state, pace, path, again, log } = set;
  const stop = new AbortController();
  const first = again({ signal: stop.signal });
  first.wish({ pool: "sprout", direction: "out", from: "test" });
  pace.whileWaiting(() => stop.abort(new Error("stopped")));
  await first.turn();
  const between = state.read("ims");
  assert.ok(between.kind === "state");
  assert.deepEqual(
    [between.state.operation?.pool, between.state.operation?.to, sizeOf(set)],
    ["sprout", 11, "11"],
  );
  const second = again();
  await second.turn();
  assert.ok(log.includes("sprout: going on to 11"));
  const after = state.read("ims");
  assert.ok(after.kind === "state" && after.state.operation === undefined);
  second.wish({ pool: "sprout", direction: "out", from: "test" });
  await again().turn();
  await second.turn();
  assert.equal(sizeOf(set), "11", "the cool-down outlives the process");
  assert.ok(!existsSync(`${path}.next`));
});

test("started again after somebody else has scaled the pool: what was begun is dropped, and said", async (t) => {
  const set = await setUp(t);
  const { state, pace, again, log, driver, model, run } = set;
  const begun = (from: number, to: number): void =>
    state.write({
      version: 1,
      vnf: "ims",
      changed: {},
      operation: { pool: "sprout", from, to, begun: 0, tries: 1 },
    });
  const scaled = async (size: number): Promise<void> =>
    assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size }, run)).kind, "done");
  await scaled(15);
  begun(7, 11);
  await again().turn();
  assert.equal(sizeOf(set), "15");
  assert.match(log.join("\n"), /^sprout: has 15 members, which is not on the way from 7 to 11: .* dropped$/m);
  assert.deepEqual(state.read("ims"), {
    kind: "state",
    state: { version: 1, vnf: "ims", changed: { sprout: pace.now() } },
  });
  await scaled(7);
  begun(15, 11);
  await again().turn();
  assert.equal(sizeOf(set), "7");
  // Several steps: each of them is one it may have been stopped at.
  await scaled(11);
  begun(15, 7);
  await again().turn();
  assert.equal(sizeOf(set), "7");
});

test("a pool that somebody else scales between two tries is not brought back", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud, state, log } = set;
  for (const host of cloud.compute.hosts.get("core")?.slice(0, 5) ?? []) cloud.compute.down.add(host);
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  await scaler.turn();
  cloud.compute.down.clear();
  const { driver, model, run } = set;
  assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run)).kind, "done");
  await scaler.turn();
  assert.equal(sizeOf(set), "15", log.join("\n"));
  const after = state.read("ims");
  assert.ok(after.kind === "state" && after.state.operation === undefined);
});

test("growth that keeps failing is given up after three turns, said with what to do, and taken back", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud, log } = set;
  for (const host of cloud.compute.hosts.get("core")?.slice(0, 5) ?? []) cloud.compute.down.add(host);
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.ok(
    log.some((line) =>
      /^sprout: given up: UPDATE_FAILED: .*No valid host.*scale ims sprout=11 again/.test(line),
    ),
    log.join("\n"),
  );
  assert.ok(log.includes("sprout: back: sprout has 7 members"));
  assert.deepEqual([sizeOf(set), cloud.stacks.get("ims")?.status], ["7", "UPDATE_COMPLETE"]);
});

test("one scaler a state file; a lock of a process that is gone is taken over; a foreign state is refused", async (t) => {
  const { state, path } = await setUp(t);
  assert.equal(state.lock(), undefined);
  writeFileSync(`${path}.lock`, String(process.ppid));
  assert.equal(state.lock(), `process ${process.ppid}`);
  writeFileSync(`${path}.lock`, "999999999");
  assert.equal(state.lock(), undefined);
  assert.equal(readFileSync(`${path}.lock`, "utf8"), String(process.pid));
  state.unlock();
  writeFileSync(path, "{}");
  const bad = state.read("ims");
  assert.match(bad.kind === "bad" ? bad.problem : "", /is no state of a scaler: .*then delete it/);
  writeFileSync(path, JSON.stringify({ version: 1, vnf: "other", changed: {} }));
  const other = state.read("ims");
  assert.match(other.kind === "bad" ? other.problem : "", /is of other, not of ims/);
});
