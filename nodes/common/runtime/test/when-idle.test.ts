import assert from "node:assert/strict";
import { test } from "node:test";
import { whenIdle } from "../src/index.ts";
import { fakeClock } from "../testing/index.ts";

function start(quietMs: number) {
  const clock = fakeClock();
  const state = { busy: 1, taken: 0, idle: false };
  const abort = new AbortController();
  const options = { clock, busy: () => state.busy, taken: () => state.taken, quietMs };
  void whenIdle(options, abort.signal).then(() => {
    state.idle = true;
  });
  return { clock, state, abort };
}

test("idle is who has nothing in progress, and to whom nothing new has come for a while", async () => {
  const { clock, state } = start(300);
  await clock.advanceAsync(10_000);
  assert.equal(state.idle, false, "work in progress");
  state.busy = 0;
  await clock.advanceAsync(200);
  state.taken++;
  await clock.advanceAsync(250);
  assert.equal(state.idle, false, "something new came");
  await clock.advanceAsync(150);
  assert.equal(state.idle, true);
});

test("a deadline ends the wait", async () => {
  const { clock, state, abort } = start(0);
  abort.abort();
  await clock.advanceAsync(50);
  assert.equal(state.idle, true);
});
