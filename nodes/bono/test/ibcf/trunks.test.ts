import assert from "node:assert/strict";
import { test } from "node:test";
import { CARRIER, CARRIER_2, CORE, fromInside, IbcfBench } from "../support/ibcf-bench.ts";
import { only, type Sent } from "../support/pcscf-bench.ts";

function trunk(more: object = {}): unknown {
  return {
    peers: [
      { name: "carrier", targets: [`sip:${CARRIER}`, `sip:${CARRIER_2}`], options_seconds: 0, ...more },
    ],
  };
}

let calls = 0;

function call(b: IbcfBench): Sent {
  const { vias, headers } = fromInside(++calls);
  return only(
    b.request(b.sprout(), {
      ...{ uri: "sip:bob@x.example", callId: `trunk${calls}`, vias },
      headers: [...headers, `Route: <sip:ibcf.carrier@${CORE}:5058;lr>`],
    }),
  );
}

test("RFC 3263 §4.3: a target that is silent is passed over after the time of the peer, and not asked first for a while", async () => {
  const b = new IbcfBench({ peers: trunk({ answer_ms: 2_000 }) });
  const first = call(b);
  assert.equal(first.flow.remoteAddress, CARRIER);
  await b.clock.advanceAsync(2_000);
  const second = b
    .sent()
    .find(({ message, flow }) => message.method === "INVITE" && flow.remoteAddress === CARRIER_2);
  assert.ok(second, "nothing was sent to the second target");
  assert.equal(b.failovers, 1);
  const { message } = only(b.answer(second, 200));
  assert.deepEqual(
    [message.status, message.values("Via").length, message.values("Record-Route").length],
    [200, 3, 4],
  );
  assert.equal(call(b).flow.remoteAddress, CARRIER_2);
  await b.clock.advanceAsync(31_000);
  b.sent();
  assert.equal(call(b).flow.remoteAddress, CARRIER);
});

test("RFC 3263 §4.3: a target that answers 503 is passed over at once, for its Retry-After; any other refusal is the answer", async () => {
  const b = new IbcfBench({ peers: trunk() });
  const [, second] = b.answer(call(b), 503, ["Retry-After: 10 (busy)"]);
  assert.ok(second);
  assert.equal(second.flow.remoteAddress, CARRIER_2);
  const [, refused] = b.answer(second, 486);
  assert.deepEqual([refused?.message.status, refused?.flow.side], [486, "core"]);
  assert.equal(call(b).flow.remoteAddress, CARRIER_2);
  await b.clock.advanceAsync(10_000);
  b.sent();
  assert.equal(call(b).flow.remoteAddress, CARRIER);
});

test("when all targets refuse, the caller hears of the last refusal; a call that is cancelled goes nowhere else", () => {
  const b = new IbcfBench({ peers: trunk() });
  const [, second] = b.answer(call(b), 503);
  assert.ok(second);
  const last = b.answer(second, 503).at(-1);
  assert.deepEqual([last?.message.status, last?.flow.side], [503, "core"]);
  assert.equal(last?.message.values("Via").length, 3);

  const other = new IbcfBench({ peers: trunk() });
  const first = call(other);
  other.answer(first, 183);
  const sprout = other.sprout();
  const cancel = other.request(sprout, {
    method: "CANCEL",
    uri: "sip:bob@x.example",
    callId: `trunk${calls}`,
    vias: fromInside(calls).vias.slice(0, 1),
  });
  const out = cancel.find(({ message }) => message.method === "CANCEL");
  assert.ok(out);
  assert.doesNotMatch(out.text, /10\.0\.0\.|inside/);
  assert.deepEqual(out.message.values("Via")[0], first.message.values("Via")[0]);
  const answered = other.answer(first, 503);
  assert.equal(
    answered.some(({ message }) => message.method === "INVITE"),
    false,
  );
});

test("targets take turns where the agreement says so", () => {
  const b = new IbcfBench({ peers: trunk({ order: "rotate" }) });
  const asked = [call(b), call(b), call(b)].map(({ flow }) => flow.remoteAddress);
  assert.deepEqual(asked, [CARRIER, CARRIER_2, CARRIER]);
});

test("RFC 3261 §11: targets are asked by OPTIONS; who does not answer, or answers 503, is asked last until it answers again, and the operator is told", async () => {
  for (const silent of [true, false]) {
    const b = new IbcfBench({ peers: trunk({ options_seconds: 30 }) });
    b.trunks.start();
    const [one, two] = b.sent();
    assert.ok(one && two);
    assert.deepEqual(
      [one.message.method, one.flow.remoteAddress, two.flow.remoteAddress],
      ["OPTIONS", CARRIER, CARRIER_2],
    );
    b.answer(two, 404);
    if (silent) await b.clock.advanceAsync(5_000);
    else b.answer(one, 503);
    b.sent();
    assert.deepEqual([b.trunks.down, b.trunks.unreachable()], [1, []]);
    const served = call(b);
    assert.equal(served.flow.remoteAddress, CARRIER_2);
    b.answer(served, 486);
    // Asked again after five seconds, not thirty.
    await b.clock.advanceAsync(6_000);
    const again = b
      .sent()
      .findLast(({ message, flow }) => message.method === "OPTIONS" && flow.remoteAddress === CARRIER);
    assert.ok(again);
    b.answer(again, 200);
    assert.equal(b.trunks.down, 0);
    assert.equal(call(b).flow.remoteAddress, CARRIER);
    b.trunks.stop();
  }
});

test("a peer none of whose targets answers is tried all the same, and named to the operator", async () => {
  const b = new IbcfBench({ peers: trunk({ options_seconds: 10 }) });
  b.trunks.start();
  await b.clock.advanceAsync(5_000);
  b.sent();
  assert.deepEqual(b.trunks.unreachable(), ["carrier"]);
  assert.equal(call(b).flow.remoteAddress, CARRIER);
  b.trunks.stop();
});

test("what a call meets counts too: an answer brings a target back without a keep-alive", async () => {
  const b = new IbcfBench({ peers: trunk() });
  const [, second] = b.answer(call(b), 503);
  assert.ok(second);
  b.answer(second, 503);
  assert.equal(b.trunks.down, 2);
  b.answer(call(b), 180);
  assert.equal(b.trunks.down, 1);
});
