import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeFlow } from "@ims/sip/testing";
import { only, PcscfBench, SPROUT } from "../support/pcscf-bench.ts";

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"';
const SCSCF = `<sip:${SPROUT}:5054;transport=tcp;lr>`;
const TAGGED = "<sip:bob@example.com>;tag=t1";

/** A call that alice made through a bono: the Route of her further requests, and of those of the other end. */
function callThrough(bench: PcscfBench, ue: FakeFlow): { fromUe: string; toUe: string } {
  bench.register(ue);
  const invite = only(bench.request(ue, { callId: "call" }));
  const own = invite.message.values("Record-Route");
  const [answer] = bench.answer(invite, 200, [`Record-Route: ${SCSCF}, ${own.join(", ")}`]);
  assert.ok(answer);
  return {
    fromUe: answer.message.values("Record-Route").reverse().join(", "),
    toUe: own.join(", "),
  };
}

for (const protocol of ["TCP", "UDP"] as const) {
  test(`a bono dies in a call over ${protocol}: the UE that has registered elsewhere ends it there`, () => {
    const dead = new PcscfBench();
    const { fromUe } = callThrough(dead, dead.ue(40_001, protocol));
    const other = new PcscfBench();
    // Another address, as after a hand-over.
    const ue = other.ue(40_777, protocol, "198.51.100.9");
    other.register(ue);
    for (const method of ["ACK", "BYE"]) {
      const bye = only(
        other.request(ue, { method, to: TAGGED, callId: "call", cseq: 2, headers: [`Route: ${fromUe}`] }),
      );
      assert.equal(bye.message.method, method);
      assert.equal(bye.flow.side, "core");
      assert.deepEqual(bye.message.values("Route"), [SCSCF]);
    }
  });

  test(`a bono dies in a call over ${protocol}: the other end's BYE finds the UE where it has registered since`, () => {
    const dead = new PcscfBench();
    const { toUe } = callThrough(dead, dead.ue(40_001, protocol));
    const other = new PcscfBench();
    const ue = other.ue(40_777, protocol, "198.51.100.9");
    other.register(ue);
    const bye = only(
      other.request(other.sprout(), {
        method: "BYE",
        uri: "sip:alice@10.1.1.1:5060",
        from: "bob",
        to: "<sip:alice@example.com>;tag=f1",
        callId: "call",
        headers: [`Route: ${toUe}`],
      }),
    );
    assert.equal(bye.flow, ue);
    assert.equal(bye.message.has("Route"), false);
  });
}

test("nobody else gets into a call of a dead bono: not with its Route, nor with another owner in it", () => {
  const dead = new PcscfBench();
  const { fromUe } = callThrough(dead, dead.ue(40_001, "TCP"));
  const other = new PcscfBench();
  const carol = other.ue(40_778, "TCP", "198.51.100.66");
  other.register(carol, "carol");
  const carolsCall = callThrough(other, other.ue(40_001, "TCP"));
  const carolsOwner = other.modules.tokens.owner("carol@example.com", "");
  const attempts = [
    fromUe,
    fromUe.replace(/^(<sip:[^.]+\.[^.]+)\.[^@]+@/, `$1.${carolsOwner}@`),
    fromUe.replace(/^(<sip:[^.]+\.[^.]+)\.[^@]+@/, "$1@"),
    carolsCall.fromUe,
  ];
  for (const [index, route] of attempts.entries()) {
    const options = {
      method: "BYE",
      from: "carol",
      to: TAGGED,
      callId: "call",
      headers: [`Route: ${route}`],
    };
    const refusal = only(other.request(carol, { ...options, cseq: 10 + index }));
    assert.equal(refusal.message.status, 403, route);
  }
});

test("RFC 5626 §5.3: a connection of a dead bono whose UE is not here is a failed flow: 430", () => {
  const dead = new PcscfBench();
  const { toUe } = callThrough(dead, dead.ue(40_001, "TCP"));
  const other = new PcscfBench();
  const options = { method: "BYE", uri: "sip:alice@10.1.1.1:5060", from: "bob", to: TAGGED, callId: "call" };
  const route = { headers: [`Route: ${toUe}`] };
  const refusal = only(other.request(other.sprout(), { ...options, ...route }));
  assert.equal(refusal.message.status, 430);
  const ue = other.ue(40_001, "TCP");
  other.register(ue);
  ue.close();
  const again = only(other.request(other.sprout(), { ...options, ...route, cseq: 2 }));
  assert.equal(again.message.status, 430);
});

test("RFC 5626 §5.3: a call to a UE whose bono died is refused with 430, so that its other flows are tried", () => {
  const dead = new PcscfBench();
  const before = dead.ue(40_001, "TCP");
  dead.register(before);
  const path = dead.pathOf(before);
  const other = new PcscfBench();
  other.register(other.ue(40_777, "TCP"));
  const invite = { uri: "sip:alice@10.1.1.1:5060", from: "bob", headers: [`Route: ${path}`] };
  assert.equal(only(other.request(other.sprout(), invite)).message.status, 430);
});

test("two devices of one user are told apart by their instance", () => {
  const tokens = new PcscfBench().modules.tokens;
  assert.equal(tokens.owner("alice@example.com", INSTANCE), tokens.owner("alice@example.com", INSTANCE));
  assert.notEqual(tokens.owner("alice@example.com", INSTANCE), tokens.owner("alice@example.com", ""));
  assert.match(tokens.owner("alice@example.com", INSTANCE), /^[A-Za-z0-9_-]{8}$/);
});
