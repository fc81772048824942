import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, type LoadSample, loadMonitor } from "../src/index.ts";
import { fakeClock } from "../testing/index.ts";

test("each period tells the longest delay: of the queues, or of the loop itself", async () => {
  const clock = fakeClock();
  const samples: LoadSample[] = [];
  let queued = 0;
  const monitor = loadMonitor({
    clock,
    queues: [() => 3, () => queued],
    onSample: (one) => samples.push(one),
  });
  await monitor.start();
  clock.advance(50);
  queued = 80;
  clock.advance(50);
  assert.deepEqual(samples, [
    { delayMs: 3, elapsedMs: 50 },
    { delayMs: 80, elapsedMs: 50 },
  ]);
  assert.equal(monitor.delayMs, 80);
  await monitor.stop();
  clock.advance(1_000);
  assert.equal(samples.length, 2);
});

test("a loop that comes late to its timers shows it", async () => {
  let now = 0;
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimer: (_ms, fn) => {
      timers.push(fn);
      return { cancel: () => undefined };
    },
  };
  const samples: LoadSample[] = [];
  const monitor = loadMonitor({ clock, onSample: (one) => samples.push(one) });
  await monitor.start();
  now = 250;
  timers.shift()?.();
  assert.deepEqual(samples, [{ delayMs: 190, elapsedMs: 250 }]);
});
