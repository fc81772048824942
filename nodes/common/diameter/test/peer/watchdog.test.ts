import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { watchdogFsm, watchdogInputs, watchdogStates } from "../../src/peer/watchdog.fsm.ts";
import { Watchdog } from "../../src/peer/watchdog.ts";

/** RFC 3539 §3.4.1 row by row, with the two deviations that the table names. */
const rows: readonly string[] = [
  "initial connectionUp: clearPending setWatchdog failback -> okay",
  "okay connectionDown: stopWatchdog failover -> initial",
  "okay dwa: clearPending setWatchdog -> okay",
  "okay otherMessage: setWatchdog -> okay",
  "okay timer: sendWatchdog setPending setWatchdog -> okay",
  "okay timerPending: failover setWatchdog -> suspect",
  "suspect connectionDown: stopWatchdog -> initial",
  "suspect dwa: clearPending failback setWatchdog -> okay",
  "suspect otherMessage: failback setWatchdog -> okay",
  "suspect timer: stopWatchdog closeConnection -> down",
  "suspect timerPending: stopWatchdog closeConnection -> down",
  "down connectionUp: resetDwa sendWatchdog setPending setWatchdog -> reopen",
  "reopen connectionDown: stopWatchdog -> down",
  "reopen dwa: clearPending countDwa -> reopen",
  "reopen thirdDwa: clearPending failback setWatchdog -> okay",
  "reopen timer: sendWatchdog setPending setWatchdog -> reopen",
  "reopen timerPending: missDwa setWatchdog -> reopen",
  "reopen timerPendingAgain: stopWatchdog closeConnection -> down",
];

test("RFC 3539 §3.4.1: every pair of state and event leads where the table says, or is ignored", () => {
  const walked: string[] = [];
  for (const state of watchdogStates) {
    for (const input of watchdogInputs) {
      const step = watchdogFsm[state][input];
      if (step !== undefined) walked.push(`${state} ${input}: ${step.actions.join(" ")} -> ${step.next}`);
    }
  }
  assert.deepEqual(walked, rows);
});

function watched(random = 0.5): { clock: FakeClock; dog: Watchdog; seen: string[] } {
  const clock = fakeClock();
  const seen: string[] = [];
  const say = (what: string) => () => seen.push(what);
  const dog = new Watchdog(
    clock,
    { watchdogMs: 30_000, probeMs: 500, random: () => random },
    { send: say("send"), failover: say("failover"), failback: say("failback"), close: say("close") },
  );
  return { clock, dog, seen };
}

test("RFC 3539 §3.4.1: a silent peer gets a DWR after Tw, is suspected after two, closed soon after", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  clock.advance(29_999);
  assert.deepEqual(seen, ["failback"]);
  clock.advance(1);
  assert.deepEqual(seen, ["failback", "send"]);
  clock.advance(30_000);
  assert.deepEqual(seen, ["failback", "send", "failover"]);
  assert.equal(dog.state, "suspect");
  clock.advance(500);
  assert.deepEqual(seen, ["failback", "send", "failover", "close"]);
  assert.equal(dog.state, "down");
  assert.equal(clock.pending(), 0);
});

test("RFC 3539 §3.4.1: traffic puts the DWR off, without a timer operation a message", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  for (let i = 0; i < 100; i++) {
    clock.advance(20_000);
    dog.message();
  }
  assert.deepEqual(seen, ["failback"]);
  clock.advance(30_000);
  assert.deepEqual(seen, ["failback", "send"]);
  assert.equal(clock.pending(), 1);
});

test("RFC 3539 §3.4.1: Tw is jittered by 2 s either way", () => {
  for (const [random, wait] of [
    [0, 28_000],
    [0.999999, 32_000],
  ] as const) {
    const { clock, dog, seen } = watched(random);
    dog.connectionUp();
    clock.advance(wait - 1);
    assert.deepEqual(seen, ["failback"]);
    clock.advance(1);
    assert.deepEqual(seen, ["failback", "send"]);
  }
});

test("RFC 3539 §3.4.1: an answer brings a suspect back", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  clock.advance(60_000);
  assert.equal(dog.state, "suspect");
  dog.dwa();
  assert.equal(dog.state, "okay");
  assert.deepEqual(seen, ["failback", "send", "failover", "failback"]);
});

test("RFC 3539 §3.4.1: a peer that had stopped to answer is used again after three DWAs", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  clock.advance(60_500);
  seen.length = 0;
  dog.connectionUp();
  assert.equal(dog.state, "reopen");
  dog.dwa();
  clock.advance(500);
  dog.dwa();
  clock.advance(500);
  assert.deepEqual(seen, ["send", "send", "send"]);
  dog.dwa();
  assert.equal(dog.state, "okay");
  assert.deepEqual(seen, ["send", "send", "send", "failback"]);
});

test("RFC 3539 §3.4.1: in REOPEN the second DWA that does not come ends the connection", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  clock.advance(60_500);
  dog.connectionUp();
  seen.length = 0;
  clock.advance(500);
  assert.deepEqual(seen, []);
  clock.advance(500);
  assert.deepEqual(seen, ["close"]);
  assert.equal(dog.state, "down");
});

test("a request that was not answered has the peer asked at once", () => {
  const { clock, dog, seen } = watched();
  dog.connectionUp();
  dog.probe();
  dog.probe();
  assert.deepEqual(seen, ["failback", "send"]);
  clock.advance(1_000);
  assert.deepEqual(seen, ["failback", "send", "failover", "close"]);
});

test("a peer that closes by itself may be used as soon as it is back", () => {
  const { dog, seen, clock } = watched();
  dog.connectionUp();
  dog.connectionDown();
  assert.equal(clock.pending(), 0);
  dog.connectionUp();
  assert.equal(dog.state, "okay");
  assert.deepEqual(seen, ["failback", "failover", "failback"]);
});
