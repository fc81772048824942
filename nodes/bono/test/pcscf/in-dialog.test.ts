import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeFlow } from "@ims/sip/testing";
import { only, PcscfBench, SPROUT } from "../support/pcscf-bench.ts";

const SCSCF = `<sip:${SPROUT}:5054;transport=tcp;lr>`;
const requests = <T extends { message: { isRequest: boolean } }>(sent: readonly T[]): T[] =>
  sent.filter((one) => one.message.isRequest);

/** Alice has called; her route set and that of the other side towards her. */
function call(callId = "call1"): { bench: PcscfBench; alice: FakeFlow; routes: string[]; towards: string[] } {
  const bench = new PcscfBench();
  const alice = bench.ue(40001);
  bench.register(alice);
  const invite = only(requests(bench.request(alice, { callId })));
  const recordRoutes = [SCSCF, ...invite.message.values("Record-Route")];
  const lines = recordRoutes.map((value) => `Record-Route: ${value}`);
  const answered = only(bench.answer(invite, 200, lines)).message.values("Record-Route");
  return { bench, alice, routes: answered.reverse(), towards: recordRoutes.slice(1) };
}

const inDialog = (routes: readonly string[], more: readonly string[] = []) => ({
  uri: "sip:bob@203.0.113.77",
  to: "<sip:bob@example.com>;tag=t1",
  cseq: 2,
  headers: [...routes.map((route) => `Route: ${route}`), ...more],
});

test("TS 24.229 §5.2.6.3.9: a BYE of the UE on its own flow follows the route set, stripped", () => {
  const { bench, alice, routes } = call();
  const { message, flow } = only(
    bench.request(alice, {
      ...inDialog(routes, [
        "P-Asserted-Identity: <sip:smuggled-ceo@example.com>",
        "P-Preferred-Identity: <sip:smuggled-ceo@example.com>",
      ]),
      method: "BYE",
    }),
  );
  assert.equal(`${flow.remoteAddress}:${flow.remotePort}`, "10.0.0.2:5054");
  assert.deepEqual(message.values("Route"), [SCSCF]);
  assert.equal(message.requestUri, "sip:bob@203.0.113.77");
  assert.doesNotMatch(message.toString(), /smuggled-ceo/);
  assert.equal(
    only(bench.answer({ message, flow, text: "" }, 200, ["P-Charging-Vector: icid-value=x"])).message.has(
      "P-Charging-Vector",
    ),
    false,
  );
});

test("RFC 3261 §16.11: the ACK of a 2xx takes the same way, both ways", () => {
  const { bench, alice, routes, towards } = call();
  const fromAlice = only(bench.request(alice, { ...inDialog(routes), method: "ACK", cseq: 1 }));
  assert.equal(fromAlice.flow.remoteAddress, "10.0.0.2");
  assert.equal(fromAlice.message.method, "ACK");
  const toAlice = only(
    bench.request(bench.sprout(), {
      ...inDialog(towards),
      method: "ACK",
      cseq: 7,
      uri: "sip:alice@10.1.1.1:5060",
    }),
  );
  assert.equal(toAlice.flow, alice);
});

test("TS 24.229 §5.2.6.3.5: strangers with the right identifiers pass nothing", () => {
  const { bench, routes } = call();
  const stranger = bench.ue(40666, "UDP", "203.0.113.66");
  const registered = bench.ue(40667, "UDP", "203.0.113.67");
  bench.register(registered, "mallory");
  for (const flow of [stranger, registered])
    for (const method of ["BYE", "INVITE", "UPDATE", "REFER", "INFO", "MESSAGE"]) {
      const { message } = only(bench.request(flow, { ...inDialog(routes), method }));
      assert.equal(message.status, 403, method);
    }
  assert.deepEqual(bench.request(stranger, { ...inDialog(routes), method: "ACK" }), []);
});

test("TS 24.229 §5.2.6.3.5: a subscriber cannot use the Record-Route of his own dialog for somebody else's", () => {
  const { bench, routes } = call("victim");
  const mallory = bench.ue(40667, "UDP", "203.0.113.67");
  bench.register(mallory, "mallory");
  const invite = only(requests(bench.request(mallory, { from: "mallory", callId: "own" })));
  const lines = [SCSCF, ...invite.message.values("Record-Route")].map((value) => `Record-Route: ${value}`);
  const own = only(bench.answer(invite, 200, lines))
    .message.values("Record-Route")
    .reverse();
  const { message } = only(
    bench.request(mallory, {
      ...inDialog([...own.slice(0, 2), ...routes.slice(2)]),
      method: "BYE",
      callId: "victim",
    }),
  );
  assert.equal(message.status, 403);
  assert.deepEqual(bench.refusals, ["foreignDialog"]);
});

test("no open relay: inside a dialog the next hop is one the trusted side has named", () => {
  const { bench, alice, routes } = call();
  const own = routes.slice(0, 2);
  for (const [index, wrong] of [
    [...own, "<sip:203.0.113.99;lr>"],
    [...routes, "<sip:203.0.113.99;lr>"],
    [...own, SCSCF.replace(";lr", ";maddr=203.0.113.99;lr")],
    [...own, "<sip:10.0.0.2:25;transport=tcp;lr>"],
    own,
    [own[0] ?? "", SCSCF],
    [own[1] ?? "", SCSCF],
    [SCSCF],
    ["<sip:203.0.113.99;lr>"],
    [],
    ["<sip:192.0.2.1:5060;lr>", ...routes.slice(1)],
    ["<sip:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAA@192.0.2.1:5060;lr>", ...routes.slice(1)],
  ].entries()) {
    const { message } = only(bench.request(alice, { ...inDialog(wrong), method: "INFO", cseq: 10 + index }));
    assert.equal(message.status, 403, wrong.join());
  }
});

test("RFC 3261 §19.1.4: a UE may print the parameters of its route set in another order", () => {
  const { bench, alice, routes } = call();
  const other = [...routes.slice(0, 2), `<sip:${SPROUT}:5054;lr;transport=TCP>`];
  assert.equal(
    only(bench.request(alice, { ...inDialog(other), method: "BYE" })).flow.remoteAddress,
    "10.0.0.2",
  );
});

test("RFC 6665 §4.3: a NOTIFY is recorded, so that the dialog it makes passes here", () => {
  const { bench, alice, towards } = call();
  const sprout = bench.sprout();
  const notify = only(
    bench.request(sprout, {
      ...inDialog(towards, [`Record-Route: ${SCSCF}`]),
      uri: "sip:alice@10.1.1.1:5060",
      method: "NOTIFY",
    }),
  );
  assert.equal(notify.flow, alice);
  const routes = notify.message.values("Record-Route");
  assert.equal(routes.length, 3);
  const refresh = only(bench.request(alice, { ...inDialog(routes), method: "SUBSCRIBE" }));
  assert.deepEqual(refresh.message.values("Route"), [SCSCF]);
});

test("RFC 3261 §16.12.1.1: one Route line or many is the same", () => {
  const { bench, alice, routes } = call();
  const { flow } = only(
    bench.request(alice, { ...inDialog([]), method: "BYE", headers: [`rOUTE : ${routes.join(" ,\r\n ")}`] }),
  );
  assert.equal(flow.remoteAddress, "10.0.0.2");
});

test("TS 24.229 §5.2.6.4.9: a request inside the dialog reaches the UE over its flow", () => {
  const { bench, alice, towards } = call();
  const sprout = bench.sprout();
  const { flow, message } = only(
    bench.request(sprout, {
      ...inDialog(towards, ["P-Charging-Vector: icid-value=secret"]),
      uri: "sip:alice@10.1.1.1:5060",
      method: "BYE",
    }),
  );
  assert.equal(flow, alice);
  assert.equal(message.has("Route"), false);
  assert.doesNotMatch(message.toString(), /secret/);
  const answer = only(
    bench.answer({ flow, message, text: "" }, 200, ["P-Asserted-Identity: <sip:smuggled-ceo@example.com>"]),
  );
  assert.equal(answer.flow, sprout);
  assert.equal(answer.message.has("P-Asserted-Identity"), false);
});

test("a dialog goes on after the registration has lapsed, and after a restart of the P-CSCF (UDP)", () => {
  const { bench, alice, routes } = call();
  bench.clock.advance(700_000);
  const request = { ...inDialog(routes), method: "BYE" };
  assert.equal(only(bench.request(alice, request)).flow.remoteAddress, "10.0.0.2");
  const restarted = new PcscfBench();
  assert.equal(only(restarted.request(restarted.ue(40001), request)).flow.remoteAddress, "10.0.0.2");
});

test("RFC 5626 §4.2: a BYE for a connection that is gone is asked of the other members, each in turn, and never back", () => {
  const members = ["10.0.0.8", "10.0.0.9"].map(
    (address) => ({ protocol: "TCP", address, port: 5058 }) as const,
  );
  const bench = new PcscfBench({ siblings: members });
  const alice = bench.ue(40_001, "TCP");
  bench.register(alice);
  const invite = only(requests(bench.request(alice, { callId: "call1" })));
  const towards = invite.message.values("Record-Route");
  alice.close();

  // 1. The first member does not know her either, the second one does.
  const bye = { ...inDialog(towards), method: "BYE" };
  const sprout = bench.sprout();
  const first = only(requests(bench.request(sprout, bye)));
  assert.equal(first.flow.remoteAddress, "10.0.0.8");
  assert.deepEqual(first.message.values("Route"), towards);
  const second = only(requests(bench.answer(first, 430)));
  assert.equal(second.flow.remoteAddress, "10.0.0.9");
  assert.deepEqual(
    bench.answer(second, 200).map(({ message, flow }) => [message.status, flow]),
    [[200, sprout]],
  );

  // 2. Nobody knows her.
  const again = only(requests(bench.request(sprout, { ...bye, cseq: 3 })));
  const last = only(requests(bench.answer(again, 430)));
  assert.equal(only(bench.answer(last, 430)).message.status, 430);

  // 3. A member that asks gets an answer, no question.
  const member = bench.transport.connect({
    side: "core",
    protocol: "TCP",
    localPort: 5058,
    remoteAddress: "10.0.0.8",
    remotePort: 45_001,
  });
  const answered = bench.request(member, { ...bye, cseq: 4 });
  assert.deepEqual(
    answered.map(({ message }) => message.status),
    [430],
  );
  assert.deepEqual(bench.request(member, { ...inDialog(towards), method: "ACK", cseq: 4 }), []);
});
