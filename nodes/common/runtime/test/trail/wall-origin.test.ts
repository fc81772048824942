import assert from "node:assert/strict";
import { test } from "node:test";
import { wallOrigin } from "../../src/trail/wall-origin.ts";

/** A monotonic clock that goes on by a hundredth of a millisecond with every look, and a wall clock of whole milliseconds. */
function clocks(origin: number): { now: () => number; monotonic: () => number; set: (by: number) => void } {
  let [looked, start] = [0, origin];
  return {
    now: () => Math.floor(start + looked),
    monotonic: () => {
      looked += 0.01;
      return looked;
    },
    set: (by) => {
      start += by;
    },
  };
}

test("while the wall clock agrees with what is known, it stays", () => {
  const clock = clocks(1_000.4);
  const origin = wallOrigin(clock, 1_000.4);
  for (let look = 0; look < 1_000; look++) assert.equal(origin(), 1_000.4);
});

test("a wall clock that was set is followed, to parts of its milliseconds", () => {
  const clock = clocks(1_000.4);
  const origin = wallOrigin(clock, 1_000.4);
  for (const by of [3, -7.3, 60_000.9, -0.25 - 60_000]) {
    clock.set(by);
    const expected = clock.now();
    const found = origin();
    clock.monotonic();
    const real = wallStart(clock);
    assert.ok(Math.abs(found - real) < 0.03, `${found} for ${real} at ${expected}`);
  }
});

test("a wall clock that stands still is not waited for", () => {
  let looked = 0;
  const origin = wallOrigin({ now: () => 5_000, monotonic: () => looked++ }, 0);
  origin();
  assert.ok(looked < 50, `${looked} looks`);
});

test("of this machine: two that look for themselves agree", () => {
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const [one, other] = [wallOrigin(clock, 0)(), wallOrigin(clock, 0)()];
  assert.ok(Math.abs(one - other) < 1, `${one} and ${other}`);
  assert.ok(Math.abs(one - (Date.now() - performance.now())) < 1.5);
});

/** Where the wall clock's start is, by its next change. */
function wallStart({ now, monotonic }: { now: () => number; monotonic: () => number }): number {
  const before = now();
  for (;;) {
    const at = monotonic();
    if (now() !== before) return now() - at;
  }
}
