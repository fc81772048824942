import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCESS, only, PcscfBench, SCSCF_ROUTE } from "../support/pcscf-bench.ts";

const REGISTER = {
  method: "REGISTER",
  uri: "sip:example.com",
  to: "<sip:alice@example.com>",
  callId: "reg1",
};
const ANSWER =
  'Authorization: Digest username="alice@example.com",realm="example.com",nonce="n",uri="sip:example.com",response="00ff"';

test("TS 24.229 §5.2.2.1: REGISTER goes to the I-CSCF with Path, Require, P-Visited-Network-ID and P-Charging-Vector", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40001);
  const { message, flow } = only(
    bench.request(ue, { ...REGISTER, headers: ["Route: <sip:evil.example.net;lr>"] }),
  );
  assert.equal(`${flow.remoteAddress}:${flow.remotePort}`, "10.0.0.2:5052");
  assert.equal(message.requestUri, "sip:example.com");
  assert.equal(message.header("Path"), bench.pathOf(ue));
  assert.deepEqual(message.values("Require"), ["path"]);
  assert.equal(message.header("P-Visited-Network-ID"), "visited.example.com");
  assert.equal(
    message.header("P-Charging-Vector"),
    "icid-value=icid1;icid-generated-at=10.0.0.1;orig-ioi=example.com",
  );
  assert.equal(message.has("Route"), false);
  assert.equal(message.has("Authorization"), false);
});

test("RFC 5626 §5.1: Path carries ob only when the UE manages its flows and we are its first hop", () => {
  const bench = new PcscfBench();
  const contact = '<sip:alice@10.1.1.1>;reg-id=1;+sip.instance="<urn:uuid:1>"';
  const path = (headers: string[], contactValue = contact): string =>
    only(bench.request(bench.ue(40002), { ...REGISTER, contact: contactValue, headers })).message.header(
      "Path",
    ) ?? "";
  assert.match(path(["Supported: path, outbound"]), /;ob>$/);
  assert.doesNotMatch(path(["Supported: path"]), /;ob/);
  assert.doesNotMatch(path(["Supported: outbound"], "<sip:alice@10.1.1.1>"), /;ob/);
  assert.doesNotMatch(path(["Supported: outbound", "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx"]), /;ob/);
});

test("TS 24.229 §5.2.2.3, §5.2.2.4: integrity-protected says what the P-CSCF knows, never what the UE says", () => {
  const bench = new PcscfBench();
  const sent = (protocol: "UDP" | "TLS", line: string): string =>
    only(bench.request(bench.ue(41000, protocol), { ...REGISTER, headers: [line] })).message.header(
      "Authorization",
    ) ?? "";
  const first =
    'Authorization: Digest username="alice@example.com",realm="example.com",nonce="",uri="sip:example.com",response=""';
  assert.doesNotMatch(sent("UDP", first), /integrity-protected/);
  assert.match(sent("UDP", ANSWER), /,integrity-protected="ip-assoc-pending"$/);
  assert.match(sent("TLS", ANSWER), /,integrity-protected="tls-pending"$/);
  for (const claim of [
    "integrity-protected=yes",
    'Integrity-Protected = "tls-yes"',
    "integrity-protected=auth-done",
  ]) {
    assert.doesNotMatch(sent("UDP", `${first},${claim}`), /yes|auth-done/);
    assert.match(sent("UDP", `a${ANSWER.slice(1)},${claim}`), /integrity-protected="ip-assoc-pending"$/);
    assert.doesNotMatch(sent("UDP", `a${ANSWER.slice(1)},${claim}`), /yes|auth-done/);
  }
  const ue = bench.ue(41001);
  bench.register(ue);
  assert.match(
    only(bench.request(ue, { ...REGISTER, headers: [first] })).message.header("Authorization") ?? "",
    /integrity-protected="ip-assoc-yes"/,
  );
  const other = first.replace("alice@", "mallory@");
  assert.doesNotMatch(
    only(bench.request(ue, { ...REGISTER, headers: [other] })).message.header("Authorization") ?? "",
    /ip-assoc-yes/,
  );
});

test("RFC 7616 §3.4: credentials that cannot be read are answered 400", () => {
  const bench = new PcscfBench();
  for (const bad of ["Digest", 'Digest username="a",username="b"']) {
    const { message } = only(
      bench.request(bench.ue(42000), { ...REGISTER, headers: [`Authorization: ${bad}`] }),
    );
    assert.equal(message.status, 400, bad);
  }
});

test("RFC 4475 §3.3.7: credentials of a scheme that nobody knows count as none", () => {
  const bench = new PcscfBench();
  const headers = ["Authorization: NoOneKnowsThisScheme opaque-data=here"];
  const { message } = only(bench.request(bench.ue(42000), { ...REGISTER, headers }));
  assert.equal(message.method, "REGISTER");
  const both = only(bench.request(bench.ue(42001), { ...REGISTER, headers: [...headers, ANSWER] })).message;
  assert.deepEqual(both.lines("Authorization"), [
    "NoOneKnowsThisScheme opaque-data=here",
    `${ANSWER.slice(15)},integrity-protected="ip-assoc-pending"`,
  ]);
});

test("TS 24.229 §5.2.2.2: the keys of a challenge do not reach the UE; neither do charging, Path and visited network", () => {
  const bench = new PcscfBench();
  const toCore = only(bench.request(bench.ue(40003), REGISTER));
  const challenge = 'Digest realm="example.com",nonce="abc=",algorithm=AKAv1-MD5,qop="auth,auth-int"';
  const { message } = only(
    bench.answer(toCore, 401, [
      `WWW-Authenticate: ${challenge},ik="00112233", CK="44556677"`,
      "P-Charging-Vector: icid-value=icid1",
      "P-Charging-Function-Addresses: ccf=1.2.3.4",
    ]),
  );
  assert.equal(message.header("WWW-Authenticate"), challenge);
  assert.equal(message.has("P-Charging-Vector"), false);
  assert.equal(message.has("P-Charging-Function-Addresses"), false);
});

test("TS 24.229 §5.2.2.1: the 200 gives the UE Service-Route and P-Associated-URI, and the flow its identities", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40004);
  const { message } = bench.register(ue, "alice", [
    "P-Associated-URI: <sip:alice@example.com>, <tel:+16505550000>",
    `Path: ${bench.pathOf(ue)}`,
    "P-Charging-Vector: icid-value=icid1",
  ]);
  assert.equal(message.status, 200);
  assert.deepEqual(message.values("Service-Route"), [SCSCF_ROUTE]);
  assert.deepEqual(message.values("P-Associated-URI"), ["<sip:alice@example.com>", "<tel:+16505550000>"]);
  assert.equal(message.has("Path"), false);
  assert.equal(message.has("P-Charging-Vector"), false);
  assert.deepEqual(
    bench.modules.flows
      .access(ue)
      .registrations.flatMap(({ identities }) => identities.map(({ impu }) => impu)),
    ["sip:alice@example.com", "tel:+16505550000"],
  );
  assert.deepEqual(bench.counts, { registered: 1, deregistered: 0 });
});

test("TS 24.229 §5.2.5.1: de-registration, expiry and the end of the flow clear what the flow knew", async () => {
  const bench = new PcscfBench();
  const { flows } = bench.modules;
  const ue = bench.ue(40005);
  bench.register(ue);
  assert.equal(flows.registrations, 1);
  const toCore = only(bench.request(ue, { ...REGISTER, cseq: 2, headers: ["Expires: 0"] }));
  bench.answer(toCore, 200, [`Service-Route: ${SCSCF_ROUTE}`]);
  assert.equal(flows.registrations, 0);
  assert.equal(ue.attachment, undefined);
  assert.equal(bench.counts.deregistered, 1);

  bench.register(ue);
  bench.clock.advance(599_000);
  assert.equal(flows.registrations, 1);
  bench.clock.advance(10_000);
  assert.equal(flows.registrations, 0);
  assert.equal(ue.attachment, undefined);

  const connected = bench.ue(40006, "TCP");
  bench.register(connected, "bob");
  connected.close();
  await Promise.resolve();
  assert.equal(flows.registrations, 0);
  assert.equal(flows.flows, 0);
});

test("TS 24.229 §5.2.2.1: a failed re-authentication keeps what is registered", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40007);
  bench.register(ue);
  const toCore = only(bench.request(ue, { ...REGISTER, cseq: 2, headers: [ANSWER] }));
  bench.answer(toCore, 403);
  assert.equal(bench.modules.flows.registrations, 1);
});

test("one flow may carry many users; each is registered and deregistered on his own", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40008);
  for (const user of ["alice", "bob", "carol"]) bench.register(ue, user);
  assert.equal(bench.modules.flows.registrations, 3);
  assert.equal(bench.modules.flows.flows, 1);
  const toCore = only(
    bench.request(ue, {
      ...REGISTER,
      to: "<sip:bob@example.com>",
      from: "bob",
      cseq: 2,
      headers: ["Expires: 0"],
    }),
  );
  bench.answer(toCore, 200);
  assert.deepEqual(
    bench.modules.flows
      .access(ue)
      .registrations.flatMap(({ identities }) => identities.map(({ impu }) => impu)),
    ["sip:alice@example.com", "sip:carol@example.com"],
  );
});

test("TS 24.229 §5.2.2.1: without an answer of the home network the UE gets 504", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40009);
  const [first] = bench.request(ue, REGISTER);
  bench.clock.advance(25_000);
  // Asked again after 10 s each, as what it was.
  const sent = bench.sent();
  assert.deepEqual(
    sent.map(({ message }) => message.status),
    [0, 0, 504],
  );
  assert.equal(sent[1]?.message.topVia?.branch, first?.message.topVia?.branch);
});

test("RFC 3261 §16.7: when no member of the core has its stores, that is no reason to leave this P-CSCF: 500 and when to come again", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40010);
  const toCore = only(bench.request(ue, REGISTER));
  const elsewhere = 'Warning: 399 - "another server of the pool may be able to"';
  const answer = only(bench.answer(toCore, 503, [elsewhere, "Retry-After: 7"]));
  assert.deepEqual([answer.message.status, answer.message.header("Retry-After")], [500, "7"]);
});

test("TS 24.229 §5.2.2.1: a home network whose HSS has too much to do is left alone: 503", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40011);
  const toCore = only(bench.request(ue, REGISTER));
  const busy = 'Warning: 399 - "a server behind this one is too busy"';
  const answer = only(bench.answer(toCore, 503, [busy, "Retry-After: 7"]));
  assert.deepEqual([answer.message.status, answer.message.header("Retry-After")], [503, "7"]);
});

test("bad guesses: after 10 answers a source gets one try per second and user; others are not slowed down", () => {
  const bench = new PcscfBench();
  let cseq = 0;
  const attempt = (flow: ReturnType<PcscfBench["ue"]>): number => {
    const first = only(bench.request(flow, { ...REGISTER, cseq: ++cseq, headers: [ANSWER] }));
    if (!first.message.isRequest) return first.message.status;
    return only(bench.answer(first, 403)).message.status;
  };
  const attacker = bench.ue(40010, "UDP", "203.0.113.9");
  const outcomes = Array.from({ length: 30 }, () => attempt(attacker));
  assert.equal(outcomes.filter((status) => status === 403).length, 10);
  assert.equal(outcomes.filter((status) => status === 503).length, 20);
  assert.equal(attempt(bench.ue(40011)), 403);
  let passed = 0;
  for (let round = 0; round < 100; round++) {
    bench.clock.advance(100);
    if (attempt(attacker) === 403) passed++;
  }
  assert.ok(passed >= 9 && passed <= 10, `${passed}`);
});

test("a source that is not registered has a token bucket; the registered are exempt", () => {
  const bench = new PcscfBench({ perSecond: 5 });
  const ue = bench.ue(40012);
  bench.register(ue);
  let cseq = 10;
  const statuses = Array.from({ length: 8 }, () => {
    const sent = only(
      bench.request(ue, { ...REGISTER, from: "eve", to: "<sip:eve@example.com>", cseq: ++cseq }),
    );
    return sent.message.status;
  });
  assert.equal(statuses.filter((status) => status === 0).length, 4);
  assert.equal(statuses.filter((status) => status === 503).length, 4);
  const own = ANSWER.replace("00ff", "");
  assert.equal(only(bench.request(ue, { ...REGISTER, cseq: 99, headers: [own] })).message.isRequest, true);
});

test("RFC 6223 §5: a UE that offers keep-alives hears the interval, in the 200 only", () => {
  const bench = new PcscfBench({ keepAliveSeconds: 120 });
  const ue = bench.ue(40013);
  const options = { ...REGISTER, via: "10.1.1.1:5060;keep;branch=z9hG4bKk1;rport" };
  const toCore = only(bench.request(ue, options));
  const { message } = only(bench.answer(toCore, 200));
  assert.equal(message.topVia?.parameters.get("keep"), "120");
  assert.equal(message.topVia?.branch, "z9hG4bKk1");
});

test(`RFC 3261 §11: OPTIONS to ${ACCESS} is a poll and needs no registration`, () => {
  const bench = new PcscfBench();
  const { message } = only(bench.request(bench.ue(40014), { method: "OPTIONS", uri: `sip:${ACCESS}:5060` }));
  assert.equal(message.status, 200);
  assert.ok(message.values("Allow").includes("INVITE"));
  assert.equal(
    only(bench.request(bench.ue(40014), { method: "OPTIONS", uri: "sip:bob@example.com" })).message.status,
    403,
  );
});
