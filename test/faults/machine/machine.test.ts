import assert from "node:assert/strict";
import { test } from "node:test";
import { processorTime, stolenBetween } from "../../support/stolen-time.ts";
import { MachineWatch } from "./machine-watch.ts";

const stat = (line: string) => () => `${line}\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n`;

test("stolen time is the eighth field; guest time is not counted twice", () => {
  const before = processorTime(stat("cpu  100 0 50 800 10 0 5 35 70 0"));
  assert.deepEqual(before, { all: 1000, stolen: 35 });
  const after = processorTime(stat("cpu  150 0 60 1100 10 0 5 175 90 0"));
  assert.equal(stolenBetween(before, after), 140 / 500);
  assert.equal(stolenBetween(before, before), 0);
});

test("where nothing is known of it, nothing was stolen", () => {
  const none = processorTime(() => {
    throw new Error("ENOENT");
  });
  assert.deepEqual(none, { all: 0, stolen: 0 });
  assert.equal(stolenBetween(none, none), 0);
});

test("a watch tells of this machine how late timers were", () => {
  const watch = new MachineWatch();
  const { lag, stolen } = watch.end();
  assert.ok(lag.p99 >= 0 && lag.worst >= 0);
  assert.ok(stolen >= 0 && stolen <= 1);
});
