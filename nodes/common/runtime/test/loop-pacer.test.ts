import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { type LoopPacer, loopPacer } from "../src/loop-pacer.ts";

/** Turns of the loop in the time given, each bringing a handful of messages. */
async function turnsWithin(pacer: LoopPacer, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let turns = 0;
  while (performance.now() < end) {
    for (let count = 0; count < 20; count++) pacer.received();
    await turn();
    turns++;
  }
  return turns;
}

/** Of a loop that has nothing to do for two thirds of its time. */
const mostlyIdle = (): number => (performance.now() * 2) / 3;

test("under load the loop pauses between turns, so that each finds several messages", async () => {
  const turns = await turnsWithin(loopPacer({ aboveRate: 1000, pauseMs: 2 }, undefined, mostlyIdle), 400);
  const free = await turnsWithin(loopPacer({ aboveRate: 1000, pauseMs: 0 }), 400);
  assert.ok(turns > 20, `${turns} turns: the loop must go on`);
  assert.ok(turns < free / 3, `${turns} turns with, ${free} without pacing`);
});

test("a loop that finds a queue at every turn does not pause: it would only fall further behind", async () => {
  const pauses: number[] = [];
  const pacer = loopPacer({ aboveRate: 1000, pauseMs: 2 }, (ms) => pauses.push(ms), mostlyIdle);
  const bring = async (messages: number, turns: number): Promise<void> => {
    for (let one = 0; one < turns; one++) {
      for (let count = 0; count < messages; count++) pacer.received();
      for (let passed = 0; passed < 3; passed++) await turn();
    }
  };
  const untilItPauses = async (): Promise<void> => {
    const end = performance.now() + 5_000;
    while (pauses.length === 0 && performance.now() < end) await bring(10, 1);
    assert.ok(pauses.length > 0);
  };
  await untilItPauses();
  pauses.length = 0;
  await bring(100, 20);
  assert.deepEqual(pauses, []);
  await untilItPauses(); // when it has caught up
});

test("the fuller the time of the loop, the shorter its pauses: what it slept itself is no work", async () => {
  const longest = async (share: number): Promise<number> => {
    const pauses: number[] = [];
    const began = performance.now();
    let slept = 0;
    const idle = (): number => (performance.now() - began) * share - slept;
    const sleep = (ms: number): void => {
      pauses.push(ms);
      const from = performance.now();
      while (performance.now() - from < ms);
      slept += performance.now() - from;
    };
    const pacer = loopPacer({ aboveRate: 100, pauseMs: 4 }, sleep, idle);
    for (const end = began + 400; performance.now() < end; ) {
      pacer.received();
      await delay(1);
    }
    return pauses.length === 0 ? 0 : Math.max(...pauses);
  };
  const [free, half, none] = [await longest(1), await longest(0.5), await longest(0)];
  assert.ok(free > 3, `${free} ms`);
  assert.ok(half > 1 && half <= free * 0.75, `${half} of ${free} ms`);
  assert.ok(none < 0.4, `${none} ms`);
});

test("the engine's own account of the loop's time is what pauses go by", async () => {
  const pauses: number[] = [];
  const pacer = loopPacer({ aboveRate: 100, pauseMs: 4 }, (ms) => pauses.push(ms));
  for (const end = performance.now() + 5_000; pauses.length < 5 && performance.now() < end; ) {
    pacer.received();
    await delay(1);
  }
  assert.ok(Math.max(...pauses) > 1, `${pauses} ms, in a loop that waits nearly all of its time`);
});

test("below the rate nothing is delayed", async () => {
  const pacer = loopPacer({ aboveRate: 1000, pauseMs: 5 }, undefined, mostlyIdle);
  await turnsWithin(pacer, 120);
  // A quiet spell, then single messages: the window of the load before says nothing any more.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const began = performance.now();
  for (let count = 0; count < 20; count++) {
    pacer.received();
    await turn();
    await turn();
  }
  const perMessage = (performance.now() - began) / 20;
  assert.ok(perMessage < 4, `${perMessage} ms a message`);
});
