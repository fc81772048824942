import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { ExpiryWheel } from "../../src/scscf/expiry.ts";

test("each set comes up once, at its earliest time, never before it", async () => {
  const clock = fakeClock();
  const due: [string, number][] = [];
  const wheel = new ExpiryWheel({
    clock,
    onDue: async (impu) => {
      due.push([impu, clock.monotonic()]);
      return undefined;
    },
  });
  wheel.schedule("a", clock.now() + 1_500);
  wheel.schedule("a", clock.now() + 60_000);
  wheel.schedule("b", clock.now() + 5_000);
  wheel.schedule("b", clock.now() + 3_000);
  assert.equal(wheel.size, 2);
  await clock.advanceAsync(120_000);
  assert.deepEqual(due, [
    ["a", 2_000],
    ["b", 3_000],
  ]);
  assert.equal(wheel.size, 0);
  assert.equal(clock.pending(), 0, "an idle wheel needs no timer");
});

test("what is due comes back when it says so, and in a while when it failed", async () => {
  const clock = fakeClock();
  const seen: number[] = [];
  const wheel = new ExpiryWheel({
    clock,
    onDue: async () => {
      seen.push(clock.monotonic());
      if (seen.length === 1) return clock.now() + 10_000;
      if (seen.length === 2) throw new Error("store away");
      return undefined;
    },
  });
  wheel.schedule("a", clock.now() + 1_000);
  await clock.advanceAsync(100_000);
  assert.deepEqual(seen, [1_000, 11_000, 41_000]);
});

test("a time that has passed already comes up at once; ten thousand sets of one second all do", async () => {
  const clock = fakeClock();
  let count = 0;
  const wheel = new ExpiryWheel({
    clock,
    onDue: async () => {
      count++;
      return undefined;
    },
  });
  for (let n = 0; n < 10_000; n++) wheel.schedule(`user-${n}`, clock.now() - 5);
  await clock.advanceAsync(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count, 10_000);
});

test("a wheel that was stopped says nothing more", async () => {
  const clock = fakeClock();
  let count = 0;
  const wheel = new ExpiryWheel({ clock, onDue: async () => void count++ as undefined });
  wheel.schedule("a", clock.now() + 1_000);
  wheel.stop();
  wheel.schedule("b", clock.now() + 1_000);
  await clock.advanceAsync(5_000);
  assert.equal(count, 0);
});
