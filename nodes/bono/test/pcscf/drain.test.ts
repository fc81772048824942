import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeFlow } from "@ims/sip/testing";
import { Drain } from "../../src/pcscf/drain.ts";
import { type BenchOptions, only, PcscfBench, type Sent, SPROUT } from "../support/pcscf-bench.ts";

const SCSCF = `Record-Route: <sip:${SPROUT}:5054;transport=tcp;lr>`;
const requests = (sent: readonly Sent[]): Sent[] => sent.filter((one) => one.message.isRequest);

function draining(options: BenchOptions = {}) {
  const bench = new PcscfBench(options);
  const { flows, calls } = bench.modules;
  const drain = new Drain({
    flows,
    calls,
    clock: bench.clock,
    busyFlows: () => bench.core.transactions.busyFlows(),
    isOpen: (flowId) => bench.transport.flow(flowId) !== undefined,
  });
  const state = { over: false };
  const abort = new AbortController();
  const start = (withinMs = 3_000): void => {
    bench.entity.quiesce();
    void drain.run(withinMs, abort.signal).then(() => {
      state.over = true;
    });
  };
  return { bench, drain, state, abort, start };
}

/** A call of alice that was answered; her route set. */
function answeredCall(bench: PcscfBench, alice: FakeFlow): string[] {
  const invite = only(requests(bench.request(alice, { callId: "call1" })));
  const own = invite.message.values("Record-Route").map((one) => `Record-Route: ${one}`);
  return only(bench.answer(invite, 200, [SCSCF, ...own]))
    .message.values("Record-Route")
    .reverse();
}

test("RFC 5626 §4.4.3: registered connections are closed one after the other, not all at once; UDP has none", async () => {
  const { bench, state, start } = draining();
  const ues = [1, 2, 3, 4, 5].map((number) => bench.ue(40_000 + number, "TCP"));
  for (const [index, ue] of ues.entries()) bench.register(ue, `user${index}`);
  const datagram = bench.ue(40_100, "UDP");
  bench.register(datagram, "udp");
  const open = (): number => ues.filter((ue) => ue.open).length;
  start();
  await bench.clock.advanceAsync(0);
  assert.equal(open(), 4);
  await bench.clock.advanceAsync(40);
  assert.equal(open(), 2);
  await bench.clock.advanceAsync(60);
  assert.equal(open(), 0);
  assert.equal(datagram.open, true);
  await bench.clock.advanceAsync(20);
  assert.equal(state.over, true);
});

test("many connections are closed within the time there is", async () => {
  const { bench, drain, start } = draining();
  for (let number = 0; number < 400; number++) bench.register(bench.ue(10_000 + number, "TCP"), `u${number}`);
  start(1_000);
  await bench.clock.advanceAsync(500);
  assert(drain.left > 150 && drain.left < 250, `${drain.left} left half way`);
  await bench.clock.advanceAsync(550);
  assert.equal(drain.left, 0);
});

test("who waits for an answer keeps the connection until it is there; who is in a call until the call ends", async () => {
  const { bench, drain, state, start } = draining();
  const [alice, carol] = [bench.ue(40_001, "TCP"), bench.ue(40_002, "TCP")];
  bench.register(alice, "alice");
  bench.register(carol, "carol");
  const routes = answeredCall(bench, alice);
  const waiting = only(requests(bench.request(carol, { method: "MESSAGE", from: "carol", callId: "m1" })));
  start();
  await bench.clock.advanceAsync(1_000);
  assert.deepEqual([alice.open, carol.open, drain.calls], [true, true, 1]);
  bench.answer(waiting, 200);
  await bench.clock.advanceAsync(100);
  assert.deepEqual([alice.open, carol.open], [true, false]);

  const bye = only(
    bench.request(alice, {
      method: "BYE",
      callId: "call1",
      to: "<sip:bob@example.com>;tag=t1",
      cseq: 2,
      headers: routes.map((route) => `Route: ${route}`),
    }),
  );
  assert.equal(bye.message.isRequest, true);
  bench.answer(bye, 200);
  await bench.clock.advanceAsync(100);
  assert.deepEqual([alice.open, drain.calls, state.over], [false, 0, true]);
});

test("a deadline ends the wait, and what is left is counted", async () => {
  const { bench, drain, state, abort, start } = draining();
  const alice = bench.ue(40_001, "TCP");
  bench.register(alice);
  answeredCall(bench, alice);
  start();
  await bench.clock.advanceAsync(5_000);
  assert.equal(state.over, false);
  abort.abort();
  await bench.clock.advanceAsync(20);
  assert.deepEqual([state.over, drain.left, drain.calls], [true, 1, 1]);
});

const register = (expires?: string) => ({
  method: "REGISTER",
  uri: "sip:example.com",
  to: "<sip:alice@example.com>",
  callId: `r${expires}`,
  headers: expires === undefined ? [] : [`Expires: ${expires}`],
});

test("RFC 3261 §21.5.4: what begins is turned away with 503, at once to another member if there is one; nothing is kept", () => {
  for (const hasSiblings of [true, false]) {
    const { bench } = draining({ hasSiblings });
    const alice = bench.ue(40_001);
    bench.register(alice);
    bench.entity.quiesce();
    for (const request of [
      register(),
      { method: "INVITE" },
      { method: "MESSAGE" },
      { method: "SUBSCRIBE" },
    ]) {
      const { message } = only(bench.request(alice, { ...request, callId: `c${request.method}` }));
      assert.equal(message.status, 503, request.method);
      assert.equal(message.header("Retry-After"), hasSiblings ? "0" : "5");
    }
    const poll = only(bench.request(alice, { method: "OPTIONS", uri: "sip:192.0.2.1:5060", callId: "o" }));
    assert.equal(poll.message.status, 503);
  }
});

test("who is in a call is served until it ends: he would leave with the connection that the call needs", () => {
  const { bench } = draining();
  const alice = bench.ue(40_001, "TCP");
  bench.register(alice);
  answeredCall(bench, alice);
  bench.entity.quiesce();
  assert.equal(only(bench.request(alice, register())).message.isRequest, true);
  assert.equal(
    only(requests(bench.request(alice, { method: "MESSAGE", callId: "m" }))).message.method,
    "MESSAGE",
  );
});

test("who is being called is served until the call is set up, on UDP too", () => {
  const { bench } = draining();
  const alice = bench.ue(40_001);
  bench.register(alice);
  const ringing = only(
    requests(
      bench.request(bench.sprout(), {
        uri: "sip:alice@10.1.1.1:5060",
        headers: [`Route: ${bench.pathOf(alice)}`],
        callId: "in",
      }),
    ),
  );
  bench.entity.quiesce();
  assert.equal(only(bench.request(alice, register())).message.isRequest, true);
  // A call of his own is no reason to leave: turned away, he would get the INVITE once more elsewhere, and refuse it (RFC 3261 §8.2.2.2).
  const own = only(requests(bench.request(alice, { callId: "out" })));
  assert.equal(own.message.method, "INVITE");
  for (const one of [own, ringing]) bench.answer(one, 486);
  assert.equal(only(bench.request(alice, { ...register(), callId: "r2" })).message.status, 503);
});

test("TS 24.229 §5.1.1.2.1: a REGISTER is turned away with 305 where that is wanted", () => {
  const { bench } = draining({ drainStatus: 305, hasSiblings: true });
  const alice = bench.ue(40_001);
  bench.register(alice);
  bench.entity.quiesce();
  assert.equal(only(bench.request(alice, register())).message.status, 305);
  assert.equal(only(bench.request(alice, { method: "INVITE" })).message.status, 503);
});

test("de-registration, requests inside dialogs and calls to UEs that are still here go on", () => {
  const { bench } = draining();
  const alice = bench.ue(40_001);
  bench.register(alice);
  bench.entity.quiesce();
  assert.equal(only(bench.request(alice, register("0"))).message.isRequest, true);
  const toAlice = requests(
    bench.request(bench.sprout(), {
      uri: "sip:alice@10.1.1.1:5060",
      headers: [`Route: ${bench.pathOf(alice)}`],
      callId: "in",
    }),
  );
  assert.equal(only(toAlice).flow, alice);
});
