import assert from "node:assert/strict";
import { test } from "node:test";
import { mergedExchange, type RecentExchange, Trail, type TrailGlance, type TrailReader } from "@ims/runtime";
import { fakeClock } from "../../testing/index.ts";

const ORIGIN = Date.UTC(2026, 0, 1);
const glances: TrailReader = {
  read: () => undefined,
  glance: (bytes) => {
    const text = bytes.toString();
    return text === "-" ? undefined : (JSON.parse(text) as TrailGlance);
  },
};

function start(steps = 1_000) {
  const clock = fakeClock();
  const trail = new Trail({ bytes: 4_000_000, steps, clock, origin: () => ORIGIN });
  const kind = trail.addReader("sip", glances);
  return {
    trail,
    clock,
    /** A request, or the answer to one, a second after the one before. */
    say(method: string, callId: string, more: Partial<TrailGlance> = {}): void {
      clock.advance(1_000);
      const glance = { callId, method, request: more.status === undefined, inDialog: false, ...more };
      trail.text(kind, "in", undefined, JSON.stringify(glance));
    },
    other: (): void => trail.text(kind, "in", undefined, "-"),
  };
}

async function only(trail: Trail, after = 0): Promise<RecentExchange | undefined> {
  const { exchanges } = await trail.recent({ after, limit: 10 });
  assert.equal(exchanges.length, 1);
  return exchanges[0];
}

const at = (seconds: number): number => ORIGIN + seconds * 1_000;

test("a call is told by its initial INVITE, the first 2xx to it and the first BYE; what comes in the dialog changes neither", async () => {
  const { trail, say } = start();
  say("INVITE", "c1", { from: "sip:a@x", to: "sip:b@x" });
  say("INVITE", "c1", { status: 404, reason: "Not Found" });
  say("INVITE", "c1", { status: 200, reason: "OK", icid: "i1" });
  say("INVITE", "c1", { inDialog: true, from: "sip:b@x", to: "sip:a@x" });
  say("INVITE", "c1", { status: 491, reason: "Request Pending", inDialog: true });
  const going = await only(trail);
  assert.deepEqual(
    [going?.from, going?.began, going?.status, going?.finalAt, going?.endedAt, going?.icid],
    ["sip:a@x", at(1), 200, at(3), undefined, "i1"],
  );
  say("BYE", "c1", { inDialog: true });
  say("BYE", "c1", { inDialog: true });
  assert.equal((await only(trail))?.endedAt, at(6));
});

test("of the registrations of a UE, which all have one Call-ID, the last counts", async () => {
  const { trail, say } = start();
  say("REGISTER", "r1", { from: "sip:a@x", to: "sip:a@x" });
  say("REGISTER", "r1", { status: 401, reason: "Unauthorized" });
  say("REGISTER", "r1", { to: "sip:a@x" });
  say("REGISTER", "r1", { status: 200, reason: "OK" });
  assert.deepEqual([(await only(trail))?.status, (await only(trail))?.began], [200, at(3)]);
  say("REGISTER", "r1", { to: "sip:a@x", ends: true });
  say("REGISTER", "r1", { status: 200, reason: "OK" });
  assert.equal((await only(trail))?.ends, true);
});

test("asked for what is new, a node tells what is new, and whether something was left out", async () => {
  const { trail, say, other } = start(4);
  say("INVITE", "c1");
  const first = await trail.recent({ after: 0, limit: 10 });
  assert.deepEqual([first.next, first.truncated, first.since], [1, false, at(1)]);
  say("INVITE", "c2");
  other();
  const second = await trail.recent({ after: first.next, limit: 10 });
  assert.deepEqual(
    [second.exchanges.map(({ callId }) => callId), second.next, second.truncated],
    [["c2"], 3, false],
  );
  for (const callId of ["c3", "c4", "c5", "c6", "c7"]) say("INVITE", callId);
  const third = await trail.recent({ after: second.next, limit: 10 });
  assert.deepEqual([third.exchanges.length, third.truncated], [4, true], "the ring has room for four");
  const few = await trail.recent({ after: 7, limit: 1 });
  assert.deepEqual([few.exchanges.map(({ callId }) => callId), few.truncated], [["c7"], false]);
  const limited = await trail.recent({ after: 5, limit: 1 });
  assert.deepEqual([limited.exchanges.map(({ callId }) => callId), limited.truncated], [["c7"], true]);
  const restarted = await trail.recent({ after: 1_000_000, limit: 10 });
  assert.deepEqual(
    [restarted.exchanges.length, restarted.truncated],
    [4, true],
    "another process counts anew",
  );
});

test("what two nodes, or two looks, know of a Call-ID is put together in any order", () => {
  const invite: RecentExchange = { callId: "c", method: "INVITE", from: "a", to: "b", began: 1, last: 1 };
  const good: RecentExchange = {
    callId: "c",
    method: "INVITE",
    status: 200,
    reason: "OK",
    finalAt: 3,
    last: 3,
  };
  const late: RecentExchange = {
    callId: "c",
    method: "INVITE",
    status: 487,
    finalAt: 5,
    endedAt: 6,
    last: 6,
  };
  const whole = { began: 1, status: 200, finalAt: 3, endedAt: 6, last: 6, from: "a" };
  for (const [x, y, z] of [
    [invite, good, late],
    [late, good, invite],
    [good, invite, late],
  ] as const) {
    const { began, status, finalAt, endedAt, last, from } = mergedExchange(mergedExchange(x, y), z);
    assert.deepEqual({ began, status, finalAt, endedAt, last, from }, whole);
  }
});
