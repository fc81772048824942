import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";

/** Under mocked time both the wheel's alarm and its reading of time follow `tick`. */
function mockTime(t: TestContext): (ms: number) => void {
  let now = 1000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  return (ms) => {
    for (let left = ms; left > 0; left -= 10) {
      now += Math.min(10, left);
      t.mock.timers.tick(Math.min(10, left));
    }
  };
}

test("an hour's timer passes 87 turns of the wheel and fires once, on time", (t) => {
  const tick = mockTime(t);
  const clock = systemClock();
  let fired = 0;
  clock.setTimer(3_600_000, () => fired++);
  tick(3_599_990);
  assert.equal(fired, 0);
  tick(30);
  assert.equal(fired, 1);
  tick(100_000);
  assert.equal(fired, 1);
});

test("after a standstill longer than a turn every timer that is due fires, the others do not", (t) => {
  let now = 1000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const clock = systemClock();
  const fired: number[] = [];
  for (const ms of [10, 5000, 50_000, 99_000, 130_000]) clock.setTimer(ms, () => fired.push(ms));
  now += 100_000;
  t.mock.timers.tick(100_000);
  assert.deepEqual(
    fired.toSorted((a, b) => a - b),
    [10, 5000, 50_000, 99_000],
  );
});

test("ten thousand timers with cancellations fire exactly the ones left, each in its slot", (t) => {
  const tick = mockTime(t);
  const clock = systemClock();
  const late: number[] = [];
  const start = performance.now();
  let expected = 0;
  for (let i = 0; i < 10_000; i++) {
    const ms = (i * 7919) % 60_000;
    const timer = clock.setTimer(ms, () => late.push(performance.now() - start - ms));
    if (i % 3 === 0) timer.cancel();
    else expected++;
  }
  tick(60_020);
  assert.equal(late.length, expected);
  assert.ok(late.every((ms) => ms >= 0 && ms <= 20));
});
