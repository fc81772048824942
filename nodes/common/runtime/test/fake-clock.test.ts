import assert from "node:assert/strict";
import { test } from "node:test";
import { FAKE_EPOCH_MS, fakeClock } from "@ims/runtime/testing";

test("time stands still until it is advanced", () => {
  const clock = fakeClock();
  assert.equal(clock.now(), FAKE_EPOCH_MS);
  clock.advance(1500);
  assert.equal(clock.now(), FAKE_EPOCH_MS + 1500);
  assert.equal(clock.monotonic(), 1500);
});

test("timers fire in order of deadline, then of setting, each at its own time", () => {
  const clock = fakeClock();
  const fired: [string, number][] = [];
  const note = (name: string) => () => void fired.push([name, clock.monotonic()]);
  clock.setTimer(20, note("b"));
  clock.setTimer(10, () => {
    note("a")();
    clock.setTimer(5, note("nested"));
  });
  clock.setTimer(20, note("c"));
  clock.setTimer(15, note("cancelled")).cancel();
  clock.setTimer(21, note("later"));
  clock.advance(20);
  assert.deepEqual(fired, [
    ["a", 10],
    ["nested", 15],
    ["b", 20],
    ["c", 20],
  ]);
  assert.equal(clock.pending(), 1);
});

test("advanceAsync lets promises settle between timers", async () => {
  const clock = fakeClock();
  const fired: number[] = [];
  async function twice(): Promise<void> {
    await new Promise<void>((resolve) => clock.setTimer(10, resolve));
    fired.push(clock.monotonic());
    await new Promise<void>((resolve) => clock.setTimer(10, resolve));
    fired.push(clock.monotonic());
  }
  const done = twice();
  await clock.advanceAsync(20);
  await done;
  assert.deepEqual(fired, [10, 20]);
});

test("what falls due while nothing runs fires late", () => {
  const clock = fakeClock();
  const fired: number[] = [];
  clock.setTimer(10, () => void fired.push(clock.monotonic()));
  clock.stall(400);
  assert.deepEqual(fired, []);
  clock.advance(0);
  assert.deepEqual(fired, [400]);
});
