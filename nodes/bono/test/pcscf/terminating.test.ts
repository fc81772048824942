import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, type Sent, SPROUT } from "../support/pcscf-bench.ts";

const TO_BOB = { uri: "sip:bob@10.1.1.1:5060", to: "<sip:bob@example.com>" };
const requests = <T extends { message: { isRequest: boolean } }>(sent: readonly T[]): T[] =>
  sent.filter((one) => one.message.isRequest);

test("TS 24.229 §5.2.6.4.3: a request with a flow token goes to the UE's flow, not to its Contact", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002, "UDP", "198.51.100.8");
  bench.register(bob, "bob");
  const sprout = bench.sprout();
  const { message, flow } = only(
    requests(
      bench.request(sprout, {
        ...TO_BOB,
        headers: [
          `Route: ${bench.pathOf(bob)}`,
          "Record-Route: <sip:10.0.0.2:5054;transport=tcp;lr>",
          "P-Charging-Vector: icid-value=secret",
          "P-Charging-Function-Addresses: ccf=secret",
          "P-Served-User: <sip:secret@example.com>",
          "P-Access-Network-Info: secret",
          "P-Asserted-Identity: <sip:alice@example.com>",
          "P-Called-Party-ID: <sip:bob@example.com>",
        ],
      }),
    ),
  );
  assert.equal(flow, bob);
  assert.equal(message.requestUri, "sip:bob@10.1.1.1:5060");
  assert.equal(message.has("Route"), false);
  assert.doesNotMatch(message.toString(), /secret/);
  assert.equal(message.header("P-Asserted-Identity"), "<sip:alice@example.com>");
  assert.equal(message.header("P-Called-Party-ID"), "<sip:bob@example.com>");
  const [first, second, third] = message.values("Record-Route");
  assert.match(first ?? "", /^<sip:[\w-]+\.[\w-]{11}\.[\w-]{8}@192\.0\.2\.1:5060;transport=udp;lr>$/);
  assert.equal(second, "<sip:10.0.0.1:5058;transport=tcp;lr>");
  assert.equal(third, "<sip:10.0.0.2:5054;transport=tcp;lr>");
});

test("TS 24.229 §5.2.6.4.4: the called identity is asserted in answers, what the UE claims is not", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002);
  bench.register(bob, "bob");
  const sprout = bench.sprout();
  const toUe = only(
    requests(
      bench.request(sprout, {
        ...TO_BOB,
        headers: [`Route: ${bench.pathOf(bob)}`, 'P-Called-Party-ID: "B" <sip:bob.smith@example.com>;x=1'],
      }),
    ),
  );
  const answer = only(
    bench.answer(toUe, 180, [
      "P-asserted-identity : <sip:ceo@example.com>",
      "P-Preferred-Identity: <sip:ceo@example.com>",
      "P-Charging-Vector: icid-value=ceo",
      "Record-Route: <sip:ceo.example.net;lr>",
    ]),
  );
  assert.equal(answer.flow, sprout);
  assert.doesNotMatch(answer.text, /ceo/);
  assert.deepEqual(answer.message.values("P-Asserted-Identity"), ["<sip:bob.smith@example.com>"]);
  assert.deepEqual(answer.message.values("Record-Route"), toUe.message.values("Record-Route"));
});

test("TS 24.229 §5.2.6.4.4: without P-Called-Party-ID the default identity of the flow is asserted", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002);
  bench.register(bob, "bob");
  const toUe = only(
    requests(bench.request(bench.sprout(), { ...TO_BOB, headers: [`Route: ${bench.pathOf(bob)}`] })),
  );
  const { message } = only(bench.answer(toUe, 486).filter((one) => !one.message.isRequest));
  assert.equal(message.status, 486);
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:bob@example.com>"]);
});

test("RFC 5626 §5.3: forged tokens get 403, lost flows 430, no token 404", async () => {
  const bench = new PcscfBench();
  const sprout = bench.sprout();
  const statusOf = (route: string, callId: string): number =>
    only(bench.request(sprout, { ...TO_BOB, callId, headers: [`Route: ${route}`] })).message.status;
  assert.equal(statusOf("<sip:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@10.0.0.1:5058;transport=tcp;lr>", "c1"), 403);
  assert.equal(statusOf("<sip:10.0.0.1:5058;transport=tcp;lr>", "c2"), 404);
  const bob = bench.ue(40002, "TCP");
  bench.register(bob, "bob");
  const path = bench.pathOf(bob);
  bob.close();
  await Promise.resolve();
  assert.equal(statusOf(path, "c3"), 430);
  assert.deepEqual(bench.refusals, ["forgedToken", "noRoute", "flowGone"]);
});

test("RFC 5626 §5.3: a flow that breaks under a request gives 430", async () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002, "TCP");
  bench.register(bob, "bob");
  const sprout = bench.sprout();
  bench.request(sprout, { ...TO_BOB, headers: [`Route: ${bench.pathOf(bob)}`] });
  bob.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(bench.sent().at(-1)?.message.status, 430);
});

test("a bono that has never seen the UE serves its UDP flow all the same", () => {
  const one = new PcscfBench();
  const path = one.pathOf(one.ue(40002, "UDP", "198.51.100.8"));
  const other = new PcscfBench();
  const { flow } = only(requests(other.request(other.sprout(), { ...TO_BOB, headers: [`Route: ${path}`] })));
  assert.equal(`${flow.side} ${flow.remoteAddress}:${flow.remotePort}`, "access 198.51.100.8:40002");
});

test("RFC 3261 §9.2: CANCEL from the trusted side reaches the UE", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002);
  bench.register(bob, "bob");
  const sprout = bench.sprout();
  const options = { ...TO_BOB, branch: "z9hG4bKcancelled", headers: [`Route: ${bench.pathOf(bob)}`] };
  const toUe = only(requests(bench.request(sprout, options)));
  bench.answer(toUe, 180);
  const sent = bench.request(sprout, { ...options, method: "CANCEL" });
  assert.deepEqual(
    sent.filter((one) => one.flow === bob).map((one) => one.message.method),
    ["CANCEL"],
  );
});

test("RFC 5626 §5.3: a connection of another member of the pool: that member is asked, whatever it is taken for", () => {
  const bench = new PcscfBench();
  const elsewhere = new PcscfBench();
  const bob = elsewhere.ue(40_001, "TCP");
  elsewhere.register(bob, "bob");
  const { token } = elsewhere.modules.flows.access(bob);
  const invite = {
    uri: "sip:bob@10.1.1.1:5060",
    headers: [`Route: <sip:${token}@sibling.bono.example.com:5058;transport=tcp;lr>`],
  };
  const sprout = bench.sprout();
  const handed = only(bench.request(sprout, invite).filter(({ message }) => message.isRequest));
  assert.equal(handed.flow.remoteAddress, "10.0.0.9");
  assert.match(handed.message.top("Route") ?? "", /sibling\.bono/);
  assert.equal(handed.message.has("Record-Route"), false);
  assert.deepEqual(
    bench.answer(handed, 180).map(({ message, flow }) => [message.status, flow]),
    [[180, sprout]],
  );

  bench.transport.refuse({ protocol: "TCP", address: "10.0.0.9", port: 5058 });
  const gone = bench.request(sprout, { ...invite, callId: "call2" });
  assert.deepEqual(
    gone.filter(({ message }) => message.status >= 200).map(({ message }) => message.status),
    [430],
  );
});

test("RFC 3261 §8.2.2.2: an INVITE that comes from its sender and by another member too is one for its UE; the way that came last is answered", () => {
  for (const order of ["sibling last", "sibling first"]) {
    const member = { protocol: "TCP", address: "10.0.0.9", port: 5058 } as const;
    const bench = new PcscfBench({ siblings: [member], pooled: true });
    const bob = bench.ue(40_001, "TCP");
    bench.register(bob, "bob");
    const route = `Route: ${bench.pathOf(bob)}`;
    const ofSprout = `${SPROUT}:5054;branch=z9hG4bKinvite`;
    const sprout = bench.sprout();
    const sibling = bench.transport.connect({
      ...{ side: "core", protocol: "TCP", localAddress: "10.0.0.1", localPort: 5058 },
      ...{ remoteAddress: member.address, remotePort: 45_001 },
    });
    const direct = (): Sent[] => bench.request(sprout, { ...TO_BOB, via: ofSprout, headers: [route] });
    const handed = (): Sent[] =>
      bench.request(sibling, {
        ...TO_BOB,
        via: "10.0.0.9:5058;branch=z9hG4bKhanded",
        headers: [`Via: SIP/2.0/TCP ${ofSprout}`, route],
      });
    const ways = order === "sibling last" ? [direct, handed] : [handed, direct];
    const [first, second] = ways.map((way) =>
      only(requests(way()).filter(({ message }) => message.method === "INVITE")),
    );
    assert.ok(first && second);
    assert.equal(second.flow, bob);
    assert.equal(second.message.topVia?.branch, first.message.topVia?.branch, order);
    // A copy gets the answer of the first again.
    const answers = bench.answer(second, 200).filter(({ message }) => !message.isRequest);
    const last = order === "sibling last" ? sibling : sprout;
    assert.deepEqual(
      answers.map(({ message, flow }) => [message.status, flow, message.count("Via")]),
      [[200, last, order === "sibling last" ? 2 : 1]],
      order,
    );
  }
});

test("RFC 3261 §8.2.2.2: a UE that registers over a new flow while its phone rings gets the INVITE again as a copy of the first", async () => {
  const bench = new PcscfBench({ pooled: true });
  const sprout = bench.sprout();
  const via = `${SPROUT}:5054;branch=z9hG4bKinvite`;
  const ring = (port: number): Sent => {
    const flow = bench.ue(port, "TCP");
    bench.register(flow, "bob");
    const uri = `sip:bob@192.0.2.2:${port};transport=tcp`;
    const headers = [`Route: ${bench.pathOf(flow)}`];
    const invite = only(requests(bench.request(sprout, { ...TO_BOB, uri, via, headers })));
    assert.equal(invite.flow, flow);
    return invite;
  };
  const first = ring(40_001);
  bench.answer(first, 180);
  first.flow.close();
  await new Promise((resolve) => setImmediate(resolve));
  const failed = bench.sent().at(-1);
  assert.equal(failed?.message.status, 430);
  bench.request(sprout, { ...TO_BOB, method: "ACK", via });
  const second = ring(40_002);
  assert.notEqual(second.message.requestUri, first.message.requestUri);
  assert.equal(second.message.top("Via"), first.message.top("Via"));
  const [answer] = bench.answer(second, 200).filter(({ message }) => !message.isRequest);
  assert.deepEqual([answer?.message.status, answer?.flow], [200, sprout]);
});
