import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeStep } from "../../src/trail/ask-node.ts";
import { exchangeOf, exchangesOf, summaryOf } from "../../src/trail/exchange.ts";
import { ladder, rungsOf } from "../../src/trail/ladder.ts";

const START = Date.UTC(2026, 0, 1);
let sequence = 0;

function sip(
  node: string,
  direction: NodeStep["direction"],
  at: number,
  title: string,
  more: Partial<NodeStep> = {},
): NodeStep {
  const [, status, method = title.split(" ", 1)[0]] = /^([0-9]{3}) .*\((.*)\)$/.exec(title) ?? [];
  return {
    sequence: sequence++,
    node,
    direction,
    time: START + at,
    kind: "sip",
    title,
    callId: "call-1",
    request: status === undefined,
    method,
    ...(status === undefined ? {} : { status: Number(status) }),
    message: title,
    ends: { protocol: "UDP", side: "core", local: `${node}:1`, remote: "10.0.0.9:5060" },
    fields: { from: "sip:alice@example.com", to: "sip:alice@example.com" },
    ...more,
  };
}

const ACCESS = { protocol: "UDP", side: "access", local: "10.0.0.1:5060", remote: "192.0.2.7:5071" };

function registration(): NodeStep[] {
  const cx = { kind: "cx", callId: undefined };
  return [
    sip("bono", "in", 0, "REGISTER sip:example.com", { message: "ue", ends: ACCESS, icid: "icid-1" }),
    sip("bono", "out", 0.5, "REGISTER sip:example.com"),
    sip("sprout", "in", 0.8, "REGISTER sip:example.com"),
    sip("sprout", "", 0.9, "S-CSCF: name sip:scscf", { kind: "decision", ends: undefined }),
    sip("sprout", "out", 1, "UAR", { ...cx, message: "u" }),
    sip("homestead", "in", 1.2, "UAR", { ...cx, message: "u" }),
    sip("homestead", "out", 1.4, "UAA 5001 ERROR_USER_UNKNOWN", { ...cx, message: "a" }),
    sip("sprout", "in", 1.5, "UAA 5001 ERROR_USER_UNKNOWN", { ...cx, message: "a" }),
    sip("sprout", "out", 2, "403 Forbidden (REGISTER)"),
    sip("bono", "in", 2.2, "403 Forbidden (REGISTER)"),
    sip("bono", "out", 2.5, "403 Forbidden (REGISTER)", { message: "ue 403", ends: ACCESS }),
  ];
}

test("a message that left one node and came to another is one rung, with the time it took", () => {
  const rungs = rungsOf(exchangeOf(registration()));
  assert.deepEqual(
    rungs.map((rung) =>
      rung.kind === "note"
        ? `${rung.at} ${rung.step.title}`
        : `${rung.from} ${rung.to} ${rung.took?.toFixed(1)}`,
    ),
    [
      "192.0.2.7:5071 bono undefined",
      "bono sprout 0.3",
      "sprout S-CSCF: name sip:scscf",
      "sprout homestead 0.2",
      "homestead sprout 0.1",
      "sprout bono 0.2",
      "bono 192.0.2.7:5071 undefined",
    ],
  );
});

test("the ladder stands from the phone to the HSS, in order of time, and reads without colours", () => {
  const text = ladder(exchangeOf(registration()), { text: false });
  const lines = text.split("\n");
  assert.equal(lines[0], "REGISTER sip:alice@example.com: 403 Forbidden");
  assert.equal(lines[1], "2026-01-01T00:00:00.000Z  Call-ID call-1  ICID icid-1");
  assert.match(lines[3] ?? "", /^ +s +192\.0\.2\.7:5071 +bono +sprout +homestead$/);
  assert.match(lines[4] ?? "", /^ +0\.000000 +\|-+ REGISTER -+>\| +\| +\|$/);
  assert.match(lines[5] ?? "", /^ +0\.000500 +\| +\|-+ REGISTER -+>\| +\| +0\.30 ms$/);
  assert.ok(text.includes("* sprout: S-CSCF: name sip:scscf"), text);
  assert.match(text, /\|<-+ UAA 5001 ERROR_[A-Z]+… -+\|/);
  assert.match(lines.at(-1) ?? "", /^ +0\.002500 +\|<-+ 403 Forbidden -+\| +\| +\|$/);
});

test("what comes from outside does not talk to the terminal", () => {
  const evil = sip("bono", "in", 0, "BYE\u001b[31m\u202e\u0007 x", {
    ends: ACCESS,
    callId: "c\u001b]0;x\u0007",
    text: "BYE\r\nX: \u001b[2J\r\n",
  });
  const text = ladder(exchangeOf([evil]), { text: true });
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  assert.ok(text.includes("X: ·[2J"));
});

test("a message sent again is a rung of its own; what only one node has goes to an address", () => {
  const steps = [
    sip("bono", "out", 0, "INVITE sip:bob@example.com"),
    sip("bono", "out", 500, "INVITE sip:bob@example.com"),
    sip("sprout", "in", 501, "INVITE sip:bob@example.com"),
  ];
  assert.deepEqual(
    rungsOf(exchangeOf(steps)).map((rung) => (rung.kind === "message" ? `${rung.from} ${rung.to}` : "")),
    ["bono 10.0.0.9:5060", "bono sprout"],
  );
});

test("calls whose charging identity is the same are one, registrations that are far apart are several", () => {
  const steps = [
    sip("bono", "in", 0, "INVITE sip:bob@example.com", { callId: "a", icid: "i", message: "ue" }),
    sip("sprout", "out", 10, "INVITE sip:bob@example.com", { callId: "b", icid: "i" }),
    sip("bono", "in", 60_000, "BYE sip:bob@example.com", { callId: "a" }),
    sip("bono", "in", 100, "REGISTER sip:example.com", { callId: "r" }),
    sip("bono", "in", 200, "200 OK (REGISTER)", { callId: "r" }),
    sip("bono", "in", 600_000, "REGISTER sip:example.com", { callId: "r" }),
  ];
  assert.deepEqual(
    exchangesOf(steps).map(({ callIds, steps: own }) => [callIds.join(), own.length]),
    [
      ["a,b", 3],
      ["r", 2],
      ["r", 1],
    ],
  );
});

test("a call that nobody has answered says so", () => {
  const { outcome, method } = summaryOf(
    exchangeOf([
      sip("bono", "in", 0, "INVITE sip:bob@example.com"),
      sip("bono", "out", 1, "180 Ringing (INVITE)"),
    ]),
  );
  assert.deepEqual([method, outcome], ["INVITE", "no final answer"]);
});

test("of a very long exchange the middle is left out when that is wanted", () => {
  const steps = Array.from({ length: 1_000 }, (_, at) =>
    sip("bono", "in", at, `OPTIONS sip:${at}@example.com`, { ends: ACCESS }),
  );
  const lines = ladder(exchangeOf(steps), { text: false, most: 10 }).split("\n");
  assert.equal(lines.length, 4 + 10 + 1);
  assert.equal(lines[9]?.trim(), "... 990 more");
});
