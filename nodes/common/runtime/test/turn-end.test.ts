import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { flushAtTurnEnd } from "@ims/runtime";
import { loopPacer } from "../src/loop-pacer.ts";
import { flushNow } from "../src/turn-end.ts";

test("what is marked in a turn is flushed once at its end, what is marked while it is flushed in the next one", async () => {
  const flushed: string[] = [];
  const b = { flush: () => flushed.push("b") };
  const a = {
    flush: () => {
      flushed.push("a");
      if (flushed.length < 3) flushAtTurnEnd(a);
    },
  };
  flushAtTurnEnd(a);
  flushAtTurnEnd(b);
  assert.deepEqual(flushed, []);
  await turn();
  assert.deepEqual(flushed, ["a", "b"]);
  await turn();
  assert.deepEqual(flushed, ["a", "b", "a"]);
  flushAtTurnEnd(b);
  flushNow();
  await turn();
  assert.deepEqual(flushed, ["a", "b", "a", "b"]);
});

test("one that throws keeps nobody else from being flushed", async () => {
  const flushed: string[] = [];
  const bad = {
    flush: () => {
      throw new Error("no");
    },
  };
  flushAtTurnEnd(bad);
  flushAtTurnEnd({ flush: () => flushed.push("b") });
  assert.throws(flushNow, /no/);
  await turn();
  assert.deepEqual(flushed, ["b"]);
});

test("what a commit of this turn lets out leaves before the loop pauses", async () => {
  const events: string[] = [];
  const mostlyIdle = (): number => (performance.now() * 2) / 3;
  const pacer = loopPacer({ aboveRate: 1000, pauseMs: 2 }, () => events.push("pause"), mostlyIdle);
  const answer = { flush: () => events.push("answer") };
  const end = performance.now() + 5_000;
  while (!events.includes("pause") && performance.now() < end) {
    events.length = 0;
    for (let count = 0; count < 10; count++) pacer.received();
    // As GroupCommit does: in the check phase, and what waits for it goes on from there.
    setImmediate(() => flushAtTurnEnd(answer));
    for (let passed = 0; passed < 3; passed++) await turn();
  }
  assert.deepEqual(events, ["answer", "pause"]);
});
