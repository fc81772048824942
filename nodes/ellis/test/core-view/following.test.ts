import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ladders } from "@ims/api";
import type { NodeStep } from "@ims/doctor";
import { atOnce } from "@ims/runtime";
import { Following } from "../../src/core-view/following.ts";

const T0 = Date.UTC(2026, 0, 1);
const [ALICE, BOB, CAROL] = ["sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com"];
let sequence = 0;

function step(after: number, method: string, more: Partial<NodeStep>): NodeStep {
  const base = {
    node: "bono",
    sequence: sequence++,
    time: T0 + after,
    direction: "in" as const,
    kind: "sip",
  };
  return { ...base, title: method, method, ...more };
}

function following(key: string, last = 3): Following {
  const one = new Following(key, last);
  atOnce(one.begin({ exchanges: [], earlier: 0, oldest: undefined, pushed: [], problems: [] }, []));
  return one;
}

function take(one: Following, steps: readonly NodeStep[], problems: readonly string[]): boolean {
  return atOnce(one.take(steps, problems));
}

function shown(one: Following): string[][] {
  return (JSON.parse(one.document) as Ladders).ladders.map(({ rungs }) => rungs.map(({ title }) => title));
}

test("who watches a subscriber sees his calls grow, with the other legs and what the HSS was asked, and nobody else's", () => {
  const one = following("alice");
  const invite = step(0, "INVITE", { callId: "c1", icid: "i1", identities: [ALICE, BOB], request: true });
  const others = step(1, "INVITE", { callId: "c9", identities: [BOB, CAROL], request: true });
  assert.equal(take(one, [invite, others], []), true);
  assert.deepEqual(shown(one), [["INVITE"]]);
  assert.equal(take(one, [invite, others], []), false, "the same once more");
  const lir = step(2, "LIR", { kind: "cx", identities: [BOB], session: "s1", request: true });
  const leg = step(3, "INVITE", { title: "leg", callId: "c2", icid: "i1", node: "sprout" });
  take(one, [lir, leg], []);
  assert.deepEqual(shown(one), [["INVITE", "LIR", "leg"]]);
  const sar = step(4, "SAR", { kind: "cx", identities: [ALICE], session: "s2", request: true });
  take(one, [sar], []);
  assert.ok(one.keys().includes("s2"), "the answer names nobody");
  take(one, [step(9, "SAA", { kind: "cx", session: "s2", request: false })], []);
  assert.deepEqual(shown(one), [["INVITE", "LIR", "leg", "SAR", "SAA"]]);
  assert.ok(!one.keys().includes("s2"));
});

test("a Call-ID that comes up is asked for from where its call began, at each node that was not asked by it", () => {
  const one = following("alice");
  assert.equal(one.since("a", 7), 7, "not asked yet");
  for (const url of ["a", "b"]) one.asked(url, T0 + 60_000, one.keys());
  assert.equal(one.since("a", 7), T0 + 60_000);
  take(one, [step(50_000, "INVITE", { callId: "c1", identities: [ALICE] })], []);
  for (const url of ["a", "b"]) assert.equal(one.since(url, 7), T0 + 49_500);
  one.asked("a", T0 + 61_000, one.keys());
  assert.deepEqual([one.since("a", 7), one.since("b", 7)], [T0 + 61_000, T0 + 49_500]);
});

test("a call that is watched by its Call-ID is followed over its ICID, and another call of the same users is not it", () => {
  const one = following("c1");
  take(one, [step(0, "INVITE", { callId: "c1", icid: "i1", identities: [ALICE, BOB] })], []);
  assert.ok(
    ["c1", "i1", ALICE, BOB].every((key) => one.keys().includes(key)),
    String(one.keys()),
  );
  const leg = step(1, "INVITE", { title: "leg", callId: "c2", icid: "i1", identities: [BOB] });
  const lir = step(2, "LIR", { kind: "cx", identities: [BOB], session: "s", request: true });
  take(one, [leg, lir, step(3, "INVITE", { title: "other", callId: "c3", identities: [ALICE, BOB] })], []);
  assert.deepEqual(shown(one), [["INVITE", "leg", "LIR"]]);
});

test("of more calls than are shown the oldest go, and their ends come back as no new ones", () => {
  const one = following("alice", 1);
  take(one, [step(0, "INVITE", { callId: "c1", identities: [ALICE] })], []);
  take(one, [step(9_000, "INVITE", { callId: "c2", identities: [ALICE] })], []);
  assert.equal(take(one, [step(9_500, "BYE", { callId: "c1", identities: [ALICE] })], []), false);
  const { ladders, earlier } = JSON.parse(one.document) as Ladders;
  assert.deepEqual([ladders.map(({ callIds }) => callIds), earlier], [[["c2"]], 1]);
});

test("steps of a node that was started again are others, although it counts from 0", () => {
  const one = following("alice");
  const first = step(0, "INVITE", { callId: "c1", identities: [ALICE] });
  take(one, [first], []);
  assert.equal(take(one, [{ ...first, time: first.time + 0.4 }], []), false, "a clock read anew");
  take(one, [{ ...first, time: first.time + 800, title: "BYE", method: "BYE" }], []);
  assert.deepEqual(shown(one), [["INVITE", "BYE"]]);
});

test("a call that never ends its messages is shown up to a bound, and that it was reached is said", () => {
  const one = following("alice");
  const many = Array.from({ length: 2_000 }, (_, n) =>
    step(n, "INFO", { callId: "c1", identities: [ALICE] }),
  );
  take(one, many, []);
  const { ladders, problems } = JSON.parse(one.document) as Ladders;
  assert.deepEqual([ladders[0]?.rungs.length, ladders[0]?.hidden], [400, 1_100]);
  assert.match(problems.join(), /more than 1500 steps/);
});

test("what a node that is away leaves out is said, and not said any more when it is back", () => {
  const one = following("alice");
  const problems = () => (JSON.parse(one.document) as Ladders).problems;
  assert.equal(take(one, [], ["sprout-2: it does not answer within 2 s"]), true);
  assert.deepEqual(problems(), ["sprout-2: it does not answer within 2 s"]);
  assert.equal(take(one, [], ["sprout-2: it does not answer within 2 s"]), false);
  assert.equal(take(one, [], []), true);
  assert.deepEqual(problems(), []);
});

test("a ladder of 2,000 steps is worked on in pieces of 64 steps, whatever is done with them", () => {
  let looked = 0;
  const many = Array.from({ length: 2_000 }, (_, n) => {
    const message = `m${n >> 1}`;
    const node = n % 2 === 0 ? "bono" : "sprout";
    const one = step(n, "INFO", {
      callId: "c1",
      direction: n % 2 === 0 ? "out" : "in",
      node,
      identities: [ALICE],
    });
    return Object.defineProperty(one, "message", {
      get: () => {
        looked++;
        return message;
      },
    });
  });
  const one = following("alice");
  const work = one.take(many, []);
  const pieces: number[] = [];
  for (let before = 0; work.next().done !== true; before = looked) pieces.push(looked - before);
  // Sender and receiver are found by the message: with what is sorted beside, twice for a piece.
  assert.ok(Math.max(...pieces) <= 4 * 64, String(Math.max(...pieces)));
  assert.ok(pieces.length >= 2_000 / 64, String(pieces.length));
});
