import assert from "node:assert/strict";
import { test } from "node:test";
import { AdmissionControl } from "../../src/overload/admission-control.ts";

const TICK = 50;

/** A process that serves `capacity` requests a second (a refusal costs a twentieth) and is offered `offered` of them. */
function simulate(options: { capacity: number; offered: (ms: number) => number; forMs: number }) {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 30, floor: 50, now: () => now });
  const workMs = 1000 / options.capacity;
  let queue = 0;
  let credit = 0;
  const served: number[] = [];
  const delays: number[] = [];
  const refused: number[] = [];
  for (; now < options.forMs; ) {
    let servedNow = 0;
    let refusedNow = 0;
    for (let step = 0; step < TICK; step++) {
      now++;
      queue = Math.min(2_000, queue + options.offered(now) / 1000);
      credit = Math.min(credit + 1, 1);
      while (queue >= 1 && credit > 0) {
        queue--;
        if (control.admit("normal")) {
          control.served();
          credit -= workMs;
          servedNow++;
        } else {
          credit -= workMs / 20;
          refusedNow++;
        }
      }
    }
    // What is queued now waits for all before it.
    const delayMs = queue * workMs * (control.limiting ? 0.4 : 1);
    control.measured(delayMs, TICK);
    served.push(servedNow * (1000 / TICK));
    delays.push(delayMs);
    refused.push(refusedNow);
  }
  const mean = (values: readonly number[], from: number) =>
    values.slice(from / TICK).reduce((sum, one) => sum + one, 0) / (values.length - from / TICK);
  return { control, served, delays, refused, mean };
}

test("without delay nothing is limited", () => {
  const { control, refused } = simulate({ capacity: 1000, offered: () => 800, forMs: 3_000 });
  assert.equal(control.limiting, false);
  assert.equal(control.rate, Number.POSITIVE_INFINITY);
  assert.equal(Math.max(...refused), 0);
});

for (const [times, least] of [
  [2, 0.9],
  [5, 0.75],
] as const)
  test(`at ${times} times the capacity the rate settles where the process is busy and the queue short`, () => {
    const run = simulate({ capacity: 1000, offered: () => 1000 * times, forMs: 6_000 });
    assert.equal(run.control.limiting, true);
    // A refusal costs a twentieth: that much is left for work.
    assert(run.mean(run.served, 2_000) > 1000 * least, `goodput ${run.mean(run.served, 2_000)}`);
    assert(run.mean(run.delays, 2_000) < 60, `delay ${run.mean(run.delays, 2_000)}`);
  });

test("back to normal within a second of the end of an overload, and nothing refused after it", () => {
  const run = simulate({ capacity: 1000, offered: (ms) => (ms < 3_000 ? 5000 : 500), forMs: 6_000 });
  assert.equal(run.control.limiting, false);
  const after = run.refused.slice(4_000 / TICK);
  assert.equal(Math.max(...after), 0);
});

test("a single long pause, such as a garbage collection, is no overload", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 30, floor: 50, now: () => now });
  for (const delay of [0, 200, 10, 0, 90, 80, 0]) {
    now += TICK;
    for (let request = 0; request < 100; request++) control.served();
    control.measured(delay, TICK);
    assert.equal(control.limiting, false);
  }
});

test("a few requests are never limited, however slow the machine is", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 30, floor: 50, now: () => now });
  for (let tick = 0; tick < 100; tick++) {
    now += TICK;
    control.served();
    control.measured(500, TICK);
  }
  assert.equal(control.limiting, false);
});

test("privileged requests are taken when new ones are not, up to a bound; exempt ones always", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 30, floor: 50, now: () => now });
  for (let tick = 0; tick < 9; tick++) {
    now += TICK;
    for (let request = 0; request < 50; request++) control.served();
    control.measured(300, TICK);
  }
  assert.equal(control.limiting, true);
  while (control.admit("normal"));
  assert.equal(control.admit("privileged"), true);
  let taken = 1;
  while (control.admit("privileged")) taken++;
  assert(taken > 5 && taken < 200, `${taken} in debt`);
  assert.equal(control.admit("normal"), false);
  for (let request = 0; request < 1000; request++) assert.equal(control.admit("exempt"), true);
});

/** The same process, where every request is known by when it came; what is taken makes three more pieces of work later, as a call does. */
function simulateTimed(options: { capacity: number; offered: number; forMs: number }) {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  const workMs = 1000 / options.capacity / 4;
  const queue: { readonly at: number; readonly isNew: boolean }[] = [];
  let [arrived, credit, done, longest, takenLate, rates] = [0, 0, 0, 0, 0, 0];
  const later: { readonly at: number }[] = [];
  for (; now < options.forMs; ) {
    now++;
    for (; arrived < (options.offered * now) / 1000; arrived++) queue.push({ at: now, isNew: true });
    while ((later[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      later.shift();
      queue.push({ at: now, isNew: false });
    }
    credit = Math.min(credit + 1, 1);
    while (credit > 0) {
      const one = queue.shift();
      if (one === undefined) break;
      const waited = now - one.at;
      if (control.limiting && now > 2_000) longest = Math.max(longest, waited);
      if (!one.isNew) {
        credit -= workMs;
        done++;
      } else if (control.admit("normal", waited)) {
        control.served();
        credit -= workMs;
        if (control.limiting && waited > 50) takenLate++;
        for (const after of [20, 40, 60]) later.push({ at: now + after });
        later.sort((a, b) => a.at - b.at);
      } else credit -= workMs / 10;
    }
    if (now % TICK === 0) control.measured(queue.length === 0 ? 0 : now - (queue[0]?.at ?? now), TICK);
    if (now > options.forMs / 2) rates += control.rate;
  }
  const meanRate = rates / (options.forMs / 2);
  return { control, meanRate, goodput: (done / 3 / options.forMs) * 1000, longest, takenLate };
}

for (const [times, least] of [
  [2, 0.9],
  [5, 0.8],
] as const)
  test(`at ${times} times the capacity, requests that have waited are refused, and the rest fills the process`, () => {
    const run = simulateTimed({ capacity: 400, offered: 400 * times, forMs: 6_000 });
    assert.equal(run.control.limiting, true);
    assert(run.goodput > 400 * least, `goodput ${run.goodput}`);
    assert(run.longest < 110, `waited ${run.longest}`);
    assert.equal(run.takenLate, 0);
    assert(Math.abs(run.meanRate - run.goodput) < run.goodput * 0.2, `rate ${run.meanRate}`);
  });

test("what stood still for less than T1 works off what has come, and nothing is limited", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  const delays = [100, 150, 200, 250, 300, 350, 400, 400, 380, 340, 300, 260, 220, 180, 140, 100, 60, 20, 0];
  for (let round = 0; round < 20; round++)
    for (const delayMs of delays) {
      now += TICK;
      for (let request = 0; request < 40; request++) control.served();
      control.measured(delayMs, TICK);
      assert.equal(control.limiting, false, `at ${delayMs} ms`);
    }
});

test("what stands still twice, for longer the second time, works off what has come, too", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  // As a full collection of garbage does: it prepares, and then it marks and moves.
  const looks = [
    [120, 180],
    [640, 700],
    [640, 50],
    [590, 50],
    [300, 50],
    [60, 50],
    [0, 50],
  ] as const;
  for (let round = 0; round < 20; round++)
    for (const [delayMs, elapsedMs] of looks) {
      now += elapsedMs;
      for (let request = 0; request < elapsedMs; request++) control.served();
      control.measured(delayMs, elapsedMs);
      assert.equal(control.limiting, false, `at ${delayMs} ms`);
    }
});

test("what is late for two seconds is limited, however seldom it is looked at", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  while (!control.limiting && now < 10_000) {
    const elapsedMs = 600 + (now % 40);
    now += elapsedMs;
    for (let request = 0; request < 100; request++) control.served();
    control.measured(elapsedMs - 60 - (now % 7), elapsedMs);
  }
  assert.ok(now > 1_500 && now < 3_300, `after ${now} ms`);
});

test("a limit ends when the rush is over, though the loop goes on to pause for 10 ms", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  const measure = (delayMs: number): void => {
    now += TICK;
    for (let request = 0; request < 20; request++) if (!control.limiting) control.served();
    control.measured(delayMs, TICK);
  };
  for (let tick = 0; tick < 10; tick++) measure(200);
  assert.equal(control.limiting, true);
  let refused = 0;
  for (let tick = 0; tick < 100 && control.limiting; tick++) {
    for (let request = 0; request < 20; request++) if (!control.admit("normal", request % 11)) refused++;
    measure(10);
  }
  assert.equal(refused, 0);
  assert.equal(control.limiting, false);
});

test("the longer requests have waited the fewer are taken: none after the target, privileged ones after four times as long, exempt ones any time", () => {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 30, floor: 1, now: () => now });
  for (let tick = 0; tick < 9; tick++) {
    now += TICK;
    for (let request = 0; request < 50; request++) control.served();
    control.measured(300, TICK);
  }
  const share = (kind: "normal" | "privileged" | "exempt", waited: number): number =>
    Array.from({ length: 400 }, () => control.admit(kind, waited)).filter(Boolean).length / 4;
  const near = (actual: number, expected: number): void =>
    assert(Math.abs(actual - expected) <= 1, `${actual} instead of ${expected} %`);
  for (const [waited, normal, privileged] of [
    [0, 100, 100],
    [6, 100, 100],
    [15, 62.5, 100],
    [24, 25, 100],
    [30, 0, 93.75],
    [90, 0, 31.25],
    [121, 0, 0],
  ] as const) {
    near(share("normal", waited), normal);
    near(share("privileged", waited), privileged);
    assert.equal(share("exempt", waited), 100);
  }
});
