import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setUp, sizeOf } from "../../testing/scaler-setting.ts";

test("load and response time by Prometheus: grows after two samples, holds during the cool-down, shrinks drained", async (t) => {
  const set = await setUp(t);
  const { scaler, values, pace, cloud, log } = set;
  values.set("avg(load)", "0.5").set("p99", "0.4");
  await scaler.turn();
  assert.equal(sizeOf(set), "7");
  await scaler.turn();
  assert.equal(sizeOf(set), "11");
  assert.ok(log.includes("sprout: goes from 7 to 11: answer-p99 is 0.4, above 0.25"), log.join("\n"));
  await scaler.turn();
  await scaler.turn();
  await scaler.turn();
  assert.equal(sizeOf(set), "11", "cool-down");
  assert.ok(log.some((line) => /stays at 11: .*the last change is \d+ s ago, 300 s/.test(line)));
  values.set("avg(load)", "0.1").set("p99", "0.01");
  pace.advance(1_000_000);
  cloud.requests.length = 0;
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  const stops = cloud.requests.filter((one) => /servers\/.*\/action$/.test(one)).length;
  assert.equal(stops, 4, "drained before they were deleted");
});

test("no series, not a number, a Prometheus that is away: nothing is changed, and it is said once", async (t) => {
  const set = await setUp(t);
  const { scaler, values, log } = set;
  values.set("p99", "NaN");
  for (let turn = 0; turn < 4; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  assert.equal(log.filter((line) => line === "sprout.load: there are no such series").length, 1);
  assert.equal(log.filter((line) => line === "sprout.answer-p99: no finite number").length, 1);
});

test("never two operations at once: turns at the same time are one, and a pool waits for the other", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud } = set;
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  scaler.wish({ pool: "bono", direction: "out", from: "test" });
  await Promise.all([scaler.turn(), scaler.turn(), scaler.turn()]);
  assert.deepEqual([sizeOf(set), sizeOf(set, "bono")], ["11", "7"]);
  const patches = () => cloud.requests.filter((one) => one.startsWith("PATCH /heat")).length;
  assert.equal(patches(), 1);
  await scaler.turn();
  assert.deepEqual([sizeOf(set), sizeOf(set, "bono"), patches()], ["11", "11", 2]);
});

test("a stack that is busy with something else is not touched", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud } = set;
  const stack = cloud.stacks.get("ims");
  assert.ok(stack !== undefined);
  stack.status = "UPDATE_IN_PROGRESS";
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  await scaler.turn();
  assert.equal(sizeOf(set), "7");
  stack.status = "UPDATE_COMPLETE";
  await scaler.turn();
  assert.equal(sizeOf(set), "11", "the wish was kept");
});

test("dry run: decides and says so, changes nothing, writes nothing", async (t) => {
  const set = await setUp(t, true);
  const { scaler, values, log, path } = set;
  values.set("avg(load)", "0.9").set("p99", "0.4");
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  assert.ok(log.includes("sprout: would go from 7 to 11: load is 0.9, above 0.7"), log.join("\n"));
  assert.ok(!existsSync(path));
});
