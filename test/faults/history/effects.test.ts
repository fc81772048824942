import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAssignments } from "./effects.ts";
import type { RegisterOperation } from "./operations.ts";

const register = (change: Partial<RegisterOperation> = {}): RegisterOperation => ({
  ...{ kind: "register", purpose: "refresh", aor: "sip:a@example.com", device: "d1", transport: "udp" },
  ...{ began: 0, ended: 10, outcome: "ok", status: 200, bonos: ["bono-1"], slowest: 10 },
  ...change,
});

test("TS 29.228 §6.1.2: the HSS hears of a registration once", () => {
  assert.deepEqual(checkAssignments([register(), register({ purpose: "fetch" })], [], 1), []);
  assert.deepEqual(
    checkAssignments([register()], [], 2).map(({ rule }) => rule),
    ["double effect"],
  );
});

test("a REGISTER sent twice, or under way when a node dies, may be told twice", () => {
  assert.deepEqual(checkAssignments([register({ bonos: ["bono-1", "bono-2"] })], [], 2), []);
  const kill = { fault: "kill", target: "sprout", members: ["sprout-1"], at: 5 };
  assert.deepEqual(checkAssignments([register({ ended: 100 })], [kill], 2), []);
  assert.equal(checkAssignments([register({ began: 20, ended: 30 })], [kill], 2).length, 1);
});

test("counters that cannot be read prove nothing", () => {
  assert.deepEqual(checkAssignments([register()], [], undefined), []);
});
