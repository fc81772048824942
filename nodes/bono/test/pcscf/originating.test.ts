import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, SCSCF_ROUTE } from "../support/pcscf-bench.ts";

test("TS 24.229 §5.2.6.3.1: nothing is relayed for who is not registered over the flow", () => {
  const bench = new PcscfBench();
  bench.register(bench.ue(40000));
  const stranger = bench.ue(40001);
  for (const method of ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "OPTIONS", "REFER", "NOTIFY", "FOO"])
    assert.equal(only(bench.request(stranger, { method, callId: method })).message.status, 403, method);
  assert.ok(bench.refusals.every((why) => why === "notRegistered"));
});

test("TS 24.229 §5.2.6.3.3: an INVITE gets Service-Route, P-Asserted-Identity, P-Charging-Vector and two Record-Routes", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const { message, flow } = only(bench.request(ue, {}).filter((one) => one.message.isRequest));
  assert.equal(`${flow.remoteAddress}:${flow.remotePort}`, "10.0.0.2:5054");
  assert.deepEqual(message.values("Route"), [SCSCF_ROUTE]);
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>"]);
  assert.match(
    message.header("P-Charging-Vector") ?? "",
    /^icid-value=icid\d+;icid-generated-at=10\.0\.0\.1;orig-ioi=example\.com$/,
  );
  const [first, second, ...more] = message.values("Record-Route");
  assert.equal(first, "<sip:10.0.0.1:5058;transport=tcp;lr>");
  assert.match(second ?? "", /^<sip:[\w-]+\.\.[\w-]{8}@192\.0\.2\.1:5060;transport=udp;lr>$/);
  assert.deepEqual(more, []);
  assert.equal(message.header("Max-Forwards"), "69");
});

test("TS 24.229 §5.2.6.3.3 step 2: whatever Route the UE has preloaded, the Service-Route is taken", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  for (const [index, routes] of [
    ["Route: <sip:192.0.2.1:5060;lr>", `Route: ${SCSCF_ROUTE}`],
    ["Route: <sip:evil.example.net;lr>"],
    [`Route: <sip:192.0.2.1;lr>, ${SCSCF_ROUTE}, <sip:evil.example.net;lr>`],
  ].entries()) {
    const sent = bench
      .request(ue, { callId: `r${index}`, headers: routes })
      .filter((one) => one.message.isRequest);
    assert.deepEqual(only(sent).message.values("Route"), [SCSCF_ROUTE]);
    assert.equal(only(sent).flow.remoteAddress, "10.0.0.2");
  }
});

test("sides are never mixed: a Route to the trusted side is no way in for a UE", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const victim = bench.ue(40002);
  bench.register(victim, "bob");
  for (const route of ["<sip:10.0.0.1:5058;transport=tcp;lr>", bench.pathOf(victim)]) {
    const { message } = only(bench.request(ue, { callId: route, headers: [`Route: ${route}`] }));
    assert.equal(message.status, 403);
  }
});

test("TS 24.229 §5.2.6.3.1: P-Preferred-Identity or From chooses among the registered identities, else the default is taken", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue, "alice", [
    "P-Associated-URI: <sip:alice@example.com>, <tel:+16505550000>, <sip:a.smith@example.com>",
  ]);
  let calls = 0;
  const asserted = (from: string, headers: string[] = []): string[] => {
    const sent = bench
      .request(ue, { from, callId: `c${++calls}`, headers })
      .filter((one) => one.message.isRequest);
    const { message } = only(sent);
    assert.equal(message.has("P-Preferred-Identity"), false);
    return message.values("P-Asserted-Identity");
  };
  assert.deepEqual(asserted("<sip:alice@example.com>"), ["<sip:alice@example.com>"]);
  assert.deepEqual(asserted('"A" <SIP:a.smith@EXAMPLE.com;user=ip>'), ["<sip:a.smith@example.com>"]);
  assert.deepEqual(asserted("<sip:anonymous@anonymous.invalid>"), ["<sip:alice@example.com>"]);
  assert.deepEqual(asserted("<sip:bob@example.com>"), ["<sip:alice@example.com>"]);
  assert.deepEqual(asserted("alice", ["P-Preferred-Identity: <tel:+1-650-555-0000>"]), [
    "<tel:+16505550000>",
  ]);
  assert.deepEqual(
    asserted("alice", ["P-Preferred-Identity: <sip:bob@example.com>, <sip:a.smith@example.com>"]),
    ["<sip:a.smith@example.com>"],
  );
  assert.deepEqual(asserted("<sip:a.smith@example.com>", ["P-Preferred-Identity: <sip:bob@example.com>"]), [
    "<sip:a.smith@example.com>",
  ]);
});

test("TS 24.229 §5.2.6.3.1: an identity in the range of a registered wildcard is asserted, others are not", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue, "pbx", ["P-Associated-URI: <sip:pbx@example.com>, <sip:+1650!.{7}!@example.com>"]);
  const asserted = (user: string): string[] =>
    only(
      bench.request(ue, { from: user, callId: user }).filter((one) => one.message.isRequest),
    ).message.values("P-Asserted-Identity");
  assert.deepEqual(asserted("+16505551234"), ["<sip:+16505551234@example.com>"]);
  assert.deepEqual(asserted("+1650555123"), ["<sip:pbx@example.com>"]);
});

test("several users on one flow: each is himself, and who names none of them is refused", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  for (const user of ["alice", "bob"]) bench.register(ue, user);
  for (const user of ["alice", "bob"]) {
    const sent = bench.request(ue, { from: user, callId: user }).filter((one) => one.message.isRequest);
    assert.deepEqual(only(sent).message.values("P-Asserted-Identity"), [`<sip:${user}@example.com>`]);
  }
  assert.equal(only(bench.request(ue, { from: "carol", callId: "carol" })).message.status, 403);
});

test("TS 24.229 §5.2.6.3.1: after expiry and de-registration calls are refused", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  bench.clock.advance(600_001);
  assert.equal(only(bench.request(ue, {})).message.status, 403);
});

const SMUGGLED = [
  "P-Asserted-Identity: <sip:smuggled-ceo@example.com>",
  "p-asserted-identity: <sip:smuggled-ceo@example.com>",
  "P-ASSERTED-IDENTITY : <sip:smuggled-ceo@example.com>",
  "P-Asserted-Identity\t:<sip:smuggled-ceo@example.com>",
  "P-Asserted-Identity:\r\n <sip:smuggled-ceo@example.com>",
  "P-Asserted-Identity: <sip:alice@example.com>,\r\n\t<sip:smuggled-ceo@example.com>",
  "P-Asserted-Identity: <sip:alice@example.com>\r\nP-Asserted-identity: <sip:smuggled-ceo@example.com>",
  "P-Served-User: <sip:smuggled-ceo@example.com>;sescase=orig;regstate=reg",
  "P-Charging-Vector: icid-value=smuggled-ceo",
  "P-Charging-Function-Addresses: ccf=smuggled-ceo.example.com",
  "P-Profile-Key: <sip:smuggled-ceo@example.com>",
  "P-User-Database: <aaa://smuggled-ceo.example.com>",
  "P-Visited-Network-ID: smuggled-ceo",
  "P-Associated-URI: <sip:smuggled-ceo@example.com>",
  "P-Called-Party-ID: <sip:smuggled-ceo@example.com>",
  "P-Asserted-Service: urn:smuggled-ceo",
  "P-Private-Network-Indication: smuggled-ceo.example.com",
  "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=smuggled-ceo;network-provided",
  "P-Access-Network-Info: IEEE-802.11, 3GPP-GERAN;cgi-3gpp=smuggled-ceo; Network-Provided ;x=1",
  "History-Info: <sip:smuggled-ceo@example.com>;index=1",
  "Path: <sip:smuggled-ceo@example.com;lr>",
  "Service-Route: <sip:smuggled-ceo@example.com;lr>",
  "Record-Route: <sip:smuggled-ceo@example.com;lr>",
  "Feature-Caps: *;smuggled-ceo",
  "Relayed-Charge: smuggled-ceo",
  "restoration-info : smuggled-ceo",
  "Attestation-Info: smuggled-ceo",
  "P-Early-Media: smuggled-ceo",
  "Security-Verify: smuggled-ceo",
];

test("TS 24.229 §4.4: what only the trust domain may say is stripped, in every spelling", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  for (const [index, line] of SMUGGLED.entries()) {
    const sent = bench
      .request(ue, { callId: `s${index}`, headers: [line] })
      .filter((one) => one.message.isRequest);
    const { text, message } = only(sent);
    assert.doesNotMatch(text, /smuggled-ceo/i, line);
    assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>"], line);
    assert.equal(message.count("P-Charging-Vector"), 1);
  }
});

test("TS 24.229 §5.2.1: access network information of the UE's own passes", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const sent = bench.request(ue, {
    headers: ["P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=001", "P-Early-Media: supported"],
  });
  const { message } = only(sent.filter((one) => one.message.isRequest));
  assert.equal(message.header("P-Access-Network-Info"), "IEEE-802.11;i-wlan-node-id=001");
  assert.equal(message.header("P-Early-Media"), "supported");
});

test("TS 24.229 §5.2.6.3.4: answers lose what a UE must not learn, and an identity that wants privacy", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const toCore = only(bench.request(ue, {}).filter((one) => one.message.isRequest));
  const ringing = only(
    bench.answer(toCore, 180, [
      "P-Charging-Vector: icid-value=secret",
      "P-Charging-Function-Addresses: ccf=secret",
      "P-Access-Network-Info: secret",
      "P-Asserted-Identity: <sip:bob@example.com>",
      "Privacy: none",
    ]),
  );
  assert.doesNotMatch(ringing.text, /secret/);
  assert.equal(ringing.message.header("P-Asserted-Identity"), "<sip:bob@example.com>");
  const answered = only(
    bench.answer(toCore, 200, ["P-Asserted-Identity: <sip:bob@example.com>", "Privacy: header;id"]),
  );
  assert.equal(answered.message.has("P-Asserted-Identity"), false);
  assert.equal(answered.message.values("Record-Route").length, 2);
});

test("TS 24.229 §5.2.6.3.2A: when the S-CSCF cannot be reached the UE gets 504, and is told to register if it understands", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  bench.transport.refuse({ protocol: "TCP", address: "10.0.0.2", port: 5054 });
  const plain = bench.request(ue, { callId: "p1" });
  assert.equal(plain.at(-1)?.message.status, 504);
  assert.equal(plain.at(-1)?.message.body, "");
  const told = bench.request(ue, {
    callId: "p2",
    headers: ["Accept: application/sdp, application/3gpp-ims+xml"],
  });
  assert.equal(told.at(-1)?.message.status, 504);
  assert.match(told.at(-1)?.message.body ?? "", /<action>initial-registration<\/action>/);
});

test("RFC 3261 §16.6: a standalone request carries no Record-Route", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const { message } = only(bench.request(ue, { method: "MESSAGE" }));
  assert.equal(message.has("Record-Route"), false);
  assert.equal(message.has("P-Charging-Vector"), true);
});
