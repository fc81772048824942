import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { type Clock, systemClock } from "@ims/runtime";

/** Resolves with how long the timer took. */
function wait(clock: Clock, ms: number): Promise<number> {
  const start = clock.monotonic();
  return new Promise((resolve) => clock.setTimer(ms, () => resolve(clock.monotonic() - start)));
}

test("timers never fire early, nor much late", async () => {
  const clock = systemClock();
  const delays = [0, 1, 9, 10, 11, 35, 100, 250];
  const taken = await Promise.all(delays.map((ms) => wait(clock, ms)));
  taken.forEach((ms, i) => {
    const late = ms - (delays[i] as number);
    assert.ok(late >= 0 && late < 2000, `${delays[i]} ms took ${ms}`);
  });
});

test("timers fire in order of their deadlines", async () => {
  const clock = systemClock();
  const order: number[] = [];
  await Promise.all([60, 20, 40, 0].map((ms) => wait(clock, ms).then(() => order.push(ms))));
  assert.deepEqual(order, [0, 20, 40, 60]);
});

test("a cancelled timer does not fire, also when its neighbour in the slot cancels it", async () => {
  const clock = systemClock();
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push("cancelled")).cancel();
  const first = clock.setTimer(20, () => {
    fired.push("first");
    second.cancel();
    first.cancel();
  });
  const second = clock.setTimer(20, () => fired.push("second"));
  await wait(clock, 60);
  second.cancel();
  assert.deepEqual(fired, ["first"]);
});

test("a callback may set timers, for now or for later", async () => {
  const clock = systemClock();
  const depth = await new Promise<number>((resolve) => {
    let n = 0;
    const again = (): void => {
      n++;
      if (n === 5) resolve(n);
      else clock.setTimer(n % 2 === 0 ? 0 : 15, again);
    };
    clock.setTimer(0, again);
  });
  assert.equal(depth, 5);
});

test("a callback that throws is reported and the other timers fire", async () => {
  const errors: unknown[] = [];
  const clock = systemClock({ onError: (error) => errors.push(error) });
  const error = new Error("callback");
  clock.setTimer(10, () => {
    throw error;
  });
  await Promise.all([wait(clock, 10), wait(clock, 40)]);
  assert.deepEqual(errors, [error]);
});

test("timers of several turns of the wheel wait their turn; numbers that are none are refused", () => {
  const clock = systemClock();
  const fired: number[] = [];
  const timers = [41_000, 3_600_000, 86_400_000].map((ms) => clock.setTimer(ms, () => fired.push(ms)));
  assert.throws(() => clock.setTimer(Number.NaN, () => {}), RangeError);
  assert.throws(() => clock.setTimer(Number.POSITIVE_INFINITY, () => {}), RangeError);
  for (const timer of timers) timer.cancel();
  assert.deepEqual(fired, []);
});

test("a sooner timer is not held up by a later one set before", async () => {
  const clock = systemClock();
  const later = clock.setTimer(5000, () => {});
  const taken = await wait(clock, 20);
  later.cancel();
  assert.ok(taken < 3000, `${taken}`);
});

function runsFor(script: string): string {
  const source = `import { systemClock } from "@ims/runtime"; const clock = systemClock(); ${script}`;
  const node = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source];
  return execFileSync(process.execPath, node, {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 20_000,
  });
}

test("a process ends when no timer is left, and not before", () => {
  assert.equal(
    runsFor("clock.setTimer(30_000, () => console.log('late')).cancel(); console.log('set');"),
    "set\n",
  );
  assert.equal(runsFor("clock.setTimer(50, () => console.log('fired'));"), "fired\n");
});

test("without onError an exception in a callback is an uncaught one", () => {
  const script = `process.on("uncaughtException", (e) => console.log("uncaught", e.message));
    clock.setTimer(10, () => { throw new Error("boom"); }); clock.setTimer(40, () => console.log("next"));`;
  // On a machine that is late for both, the exception comes after the second one.
  assert.deepEqual(new Set(runsFor(script).trim().split("\n")), new Set(["uncaught boom", "next"]));
});
