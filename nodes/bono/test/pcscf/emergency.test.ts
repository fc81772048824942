import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeFlow } from "@ims/sip/testing";
import { emergencyNumberOf } from "../../src/pcscf/emergency-numbers.ts";
import {
  type BenchOptions,
  only,
  PcscfBench,
  type RequestOptions,
  SCSCF_ROUTE,
  type Sent,
} from "../support/pcscf-bench.ts";

const ECSCF = "10.0.0.3";
const SOS: RequestOptions = { uri: "urn:service:sos", to: "<urn:service:sos>", callId: "help" };

function bench(options: BenchOptions = {}): PcscfBench {
  return new PcscfBench({
    ecscfs: [`sip:${ECSCF}:5057;transport=tcp`],
    emergencyNumbers: { "112": "urn:service:sos", "110": "urn:service:sos.police" },
    ...options,
  });
}

/** An emergency registration of a user over a flow; what the UE got. */
function emergencyRegister(b: PcscfBench, flow: FakeFlow, headers: readonly string[] = []): Sent {
  const [toCore] = b.request(flow, {
    method: "REGISTER",
    uri: "sip:example.com",
    to: "<sip:alice@example.com>",
    callId: `sos-${flow.id}`,
    contact: "<sip:alice@10.1.1.1:5060;sos>",
    headers: [
      'Authorization: Digest username="alice@example.com",realm="example.com",nonce="n",uri="sip:example.com",response="0123"',
    ],
  });
  assert.ok(toCore);
  return only(b.answer(toCore, 200, ["Contact: <sip:alice@10.1.1.1:5060;sos>;expires=600", ...headers]));
}

test("TS 24.229 §5.2.10.2: an emergency request of an unregistered UE goes to the E-CSCF, unchallenged and without an identity", () => {
  const b = bench();
  const { message, flow } = only(
    b.request(b.ue(40001), {
      ...SOS,
      from: "<sip:anonymous@anonymous.invalid>",
      headers: [
        "Route: <sip:192.0.2.1:5060;lr>, <sip:evil.example.net;lr>",
        "P-Preferred-Identity: <sip:mallory@example.com>",
        "P-Asserted-Identity: <sip:mallory@example.com>",
        "Resource-Priority: wps.0",
        "Geolocation: <cid:here@example.com>",
        "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=262010001",
      ],
    }),
  );
  assert.equal(`${flow.remoteAddress}:${flow.remotePort}`, `${ECSCF}:5057`);
  assert.equal(message.requestUri, "urn:service:sos");
  assert.deepEqual(message.values("Route"), []);
  assert.equal(message.has("P-Asserted-Identity"), false);
  assert.equal(message.has("P-Preferred-Identity"), false);
  assert.deepEqual(message.values("Resource-Priority"), ["esnet.1"]);
  assert.match(message.header("P-Charging-Vector") ?? "", /^icid-value=icid1;/);
  // Where the caller is goes on as it came.
  assert.equal(message.header("Geolocation"), "<cid:here@example.com>");
  assert.match(message.header("P-Access-Network-Info") ?? "", /262010001/);
  assert.equal(message.values("Record-Route").length, 2);
  assert.deepEqual(b.refusals, []);
});

test("TS 24.229 §5.2.10.2: the dialog of an unregistered UE goes on by its Record-Route; that of another flow does not", () => {
  const b = bench();
  const ue = b.ue(40001, "TCP");
  const toCore = only(b.request(ue, SOS));
  const ok = only(
    b.answer(toCore, 200, [
      `Record-Route: <sip:${ECSCF}:5057;transport=tcp;lr>`,
      ...toCore.message.values("Record-Route").map((one) => `Record-Route: ${one}`),
      "Contact: <sip:psap@203.0.113.1>",
    ]),
  );
  const routes = ok.message.values("Record-Route").toReversed();
  const bye = {
    method: "BYE",
    uri: "sip:psap@203.0.113.1",
    to: "<urn:service:sos>;tag=t1",
    callId: "help",
    cseq: 2,
    contact: null,
    headers: [`Route: ${routes.join(", ")}`],
  };
  const { message, flow } = only(b.request(ue, bye));
  assert.equal(`${flow.remoteAddress}:${flow.remotePort}`, `${ECSCF}:5057`);
  assert.deepEqual(message.values("Route"), [`<sip:${ECSCF}:5057;transport=tcp;lr>`]);
  assert.equal(only(b.request(b.ue(40002, "TCP"), bye)).message.status, 403);
});

test("TS 24.229 §5.2.10.4: a registered UE is asserted, with the telephone number of its set; sub-services and spelling stay what they mean", () => {
  const b = bench();
  const ue = b.ue(40003);
  b.register(ue, "alice", ["P-Associated-URI: <sip:alice@example.com>, <tel:+15550001>"]);
  const { message } = only(b.request(ue, { ...SOS, uri: "URN:service:SOS.Police" }));
  assert.equal(message.requestUri, "urn:service:sos.police");
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550001>"]);
  assert.deepEqual(message.values("Route"), []);
});

test("TS 24.229 §5.2.10.2: numbers of the operator's list are emergency numbers as tel URI, user=phone, dialstring and in the home domain", () => {
  const b = bench();
  for (const [uri, service] of [
    ["tel:112;phone-context=example.com", "urn:service:sos"],
    ["tel:1-1-0;phone-context=+49", "urn:service:sos.police"],
    ["sip:112@example.com", "urn:service:sos"],
    ["sip:112@EXAMPLE.com:5060;transport=udp", "urn:service:sos"],
    ["sip:110;phone-context=+49@198.51.100.9;user=phone", "urn:service:sos.police"],
    ["sip:112@example.net;user=dialstring", "urn:service:sos"],
  ] as const) {
    const sent = only(b.request(b.ue(40004), { uri, callId: uri.replace(/\W/g, "") }));
    assert.equal(sent.message.requestUri, service, uri);
    assert.equal(sent.flow.remoteAddress, ECSCF);
  }
  // Nobody is registered here: what is no emergency is refused.
  for (const uri of [
    "tel:1120",
    "tel:+112",
    "sip:112@example.net",
    "sip:112.example.com",
    "sip:1120@example.com",
    "sip:x112@example.com",
    `tel:${"1".repeat(200)}12`,
  ])
    assert.equal(only(b.request(b.ue(40004), { uri, callId: "no" })).message.status, 403, uri);
});

test("TS 24.229 §5.2.10.5: without an E-CSCF an emergency request is answered 380 with an alternative service", () => {
  const b = bench({ ecscfs: [] });
  const ue = b.ue(40005);
  b.register(ue);
  const { message } = only(b.request(ue, { uri: "tel:110" }));
  assert.equal(message.status, 380);
  assert.equal(message.header("Content-Type"), "application/3gpp-ims+xml");
  assert.match(
    message.body,
    /<ims-3gpp version="1"><alternative-service><type>emergency<\/type>\s*<reason>[^<]+<\/reason><\/alternative-service><\/ims-3gpp>/,
  );
  assert.equal(message.header("Contact"), "<urn:service:sos.police>");
  assert.equal(message.header("P-Asserted-Identity"), `<${b.pathOf(ue).slice(1, -1)}>`);
  assert.deepEqual(b.refusals, ["alternativeService"]);
});

test("TS 24.229 §5.2.10.1: the operator may want a registration (403), or an emergency registration (380 that says so)", () => {
  const registered = bench({ emergencyFrom: "registered" });
  assert.equal(only(registered.request(registered.ue(40006), SOS)).message.status, 403);
  const ue = registered.ue(40007);
  registered.register(ue);
  assert.equal(only(registered.request(ue, SOS)).message.requestUri, "urn:service:sos");

  const b = bench({ emergencyFrom: "emergencyRegistered" });
  const other = b.ue(40008);
  b.register(other);
  const refused = only(b.request(other, SOS)).message;
  assert.equal(refused.status, 380);
  assert.match(refused.body, /<action>emergency-registration<\/action>/);
  emergencyRegister(b, other);
  assert.equal(only(b.request(other, { ...SOS, callId: "again" })).message.requestUri, "urn:service:sos");
});

test("TS 24.229 §5.2.10.3: over an emergency registration emergency requests go, with its identity; others get 403", () => {
  const b = bench();
  const ue = b.ue(40009);
  const accepted = emergencyRegister(b, ue, ["P-Associated-URI: <sip:alice@example.com>, <tel:+15550001>"]);
  assert.equal(accepted.message.status, 200);
  assert.equal(b.modules.flows.registrations, 1);
  const { message } = only(b.request(ue, SOS));
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550001>"]);
  const chosen = { ...SOS, callId: "tel", headers: ["P-Preferred-Identity: <tel:+15550001>"] };
  assert.deepEqual(only(b.request(ue, chosen)).message.values("P-Asserted-Identity"), ["<tel:+15550001>"]);
  const ordinary = only(b.request(ue, { uri: "sip:bob@example.com", callId: "chat" })).message;
  assert.equal(ordinary.status, 403);
  assert.match(ordinary.reason, /emergency registration/);
  assert.deepEqual(b.refusals, ["emergencyOnly"]);
});

test("TS 24.229 §5.4.8.2: ordinary and emergency registration of one flow begin and end without each other", async () => {
  const b = bench();
  const ue = b.ue(40010);
  b.register(ue);
  emergencyRegister(b, ue);
  assert.equal(b.modules.flows.registrations, 2);
  const { message } = only(b.request(ue, { uri: "sip:bob@example.com", callId: "chat" }));
  assert.deepEqual(message.values("Route"), [SCSCF_ROUTE]);
  // The ordinary one goes, although the 200 shows the other contact of the same instance.
  const [toCore] = b.request(ue, {
    method: "REGISTER",
    uri: "sip:example.com",
    to: "<sip:alice@example.com>",
    contact: '<sip:alice@10.1.1.1:5060>;reg-id=1;+sip.instance="<urn:uuid:1>";expires=0',
    callId: "bye",
  });
  assert.ok(toCore);
  b.answer(toCore, 200, [
    'Contact: <sip:alice@10.1.1.1:5060;sos>;reg-id=1;+sip.instance="<urn:uuid:1>";expires=600',
  ]);
  assert.equal(b.modules.flows.registrations, 1);
  assert.equal(only(b.request(ue, { uri: "sip:bob@example.com", callId: "more" })).message.status, 403);
  assert.equal(only(b.request(ue, SOS)).message.requestUri, "urn:service:sos");
  await b.clock.advanceAsync(606_000);
  assert.equal(b.modules.flows.registrations, 0);
  assert.equal(only(b.request(ue, { ...SOS, callId: "late" })).message.has("P-Asserted-Identity"), false);
});

test("TS 24.229 §5.2.2.3: an emergency registration is an association like another, for re-registration", () => {
  const b = bench();
  const ue = b.ue(40011);
  emergencyRegister(b, ue);
  const again = only(
    b.request(ue, {
      method: "REGISTER",
      uri: "sip:example.com",
      to: "<sip:alice@example.com>",
      callId: "again",
      contact: "<sip:alice@10.1.1.1:5060;sos>",
      headers: [
        'Authorization: Digest username="alice@example.com",realm="example.com",nonce="n",uri="sip:example.com",response=""',
      ],
    }),
  );
  assert.match(again.message.header("Authorization") ?? "", /integrity-protected="ip-assoc-yes"/);
});

test("RFC 7090: a call back by a PSAP reaches the UE of an emergency registration; a UE cannot pretend to be a PSAP", () => {
  const b = bench();
  const ue = b.ue(40012);
  emergencyRegister(b, ue);
  const back = only(
    b.request(b.sprout(), {
      uri: "sip:alice@10.1.1.1:5060;sos",
      callId: "back",
      headers: [`Route: ${b.pathOf(ue)}`, "Priority: psap-callback"],
    }),
  );
  assert.equal(back.flow.id, ue.id);
  assert.equal(back.message.header("Priority"), "psap-callback");

  const mallory = b.ue(40013);
  b.register(mallory);
  const lies = { headers: ["Priority: urgent", "Priority: PSAP-callback"] };
  assert.equal(only(b.request(mallory, lies)).message.has("Priority"), false);
  const urgent = { callId: "urgent", headers: ["Priority: urgent"] };
  assert.equal(only(b.request(mallory, urgent)).message.header("Priority"), "urgent");
});

test("TS 24.229 §5.2.10.2: an E-CSCF that is silent, says 3xx, 480 or 503 is replaced by the next one; none left makes 380", async () => {
  for (const status of [302, 480, 503]) {
    const b = bench({ ecscfs: [`sip:${ECSCF}:5057`, "sip:10.0.0.4:5057"] });
    const first = only(b.request(b.ue(40014), SOS));
    const after = b.answer(first, status).filter(({ message }) => message.method === "INVITE");
    assert.equal(only(after).flow.remoteAddress, "10.0.0.4", String(status));
  }
  const b = bench({ ecscfs: [`sip:${ECSCF}:5057`, "sip:10.0.0.4:5057"] });
  b.request(b.ue(40015), SOS);
  await b.clock.advanceAsync(3_100);
  const second = b
    .sent()
    .find(({ flow, message }) => message.method === "INVITE" && flow.remoteAddress === "10.0.0.4");
  assert.ok(second);
  const toUe = b.answer(second, 503).filter(({ message }) => message.status > 0);
  assert.equal(only(toUe).message.status, 380);
});

test("a failure of the PSAP itself is what the UE hears", () => {
  const b = bench();
  const toUe = b.answer(only(b.request(b.ue(40016), SOS)), 486).filter(({ message }) => message.status > 0);
  assert.equal(only(toUe).message.status, 486);
});

test("RFC 7339 §5.10.1: a flood of others from one address leaves an emergency its share; emergencies have a bound too", () => {
  const b = bench({ perSecond: 2 });
  const ue = b.ue(40017);
  for (const callId of ["1", "2", "3"]) b.request(ue, { callId });
  assert.equal(b.refusals.at(-1), "sourceLimit");
  assert.equal(only(b.request(ue, SOS)).message.requestUri, "urn:service:sos");
  b.request(ue, { ...SOS, callId: "two" });
  const [refused] = b.request(ue, { ...SOS, callId: "three" });
  assert.equal(refused?.message.status, 503);
});

test("a P-CSCF that is about to end takes emergency calls all the same", () => {
  const b = bench();
  b.entity.quiesce();
  const ue = b.ue(40018);
  assert.equal(only(b.request(ue, { callId: "chat" })).message.status, 503);
  assert.equal(only(b.request(ue, SOS)).message.requestUri, "urn:service:sos");
});

test("what cannot begin an emergency call is 405; nested and endless service names are emergencies all the same", () => {
  const b = bench();
  const ue = b.ue(40019);
  for (const method of ["SUBSCRIBE", "PUBLISH", "BYE"])
    assert.equal(only(b.request(ue, { ...SOS, method, callId: method })).message.status, 405, method);
  for (const uri of [
    "urn:service:sos.urn:service:sos",
    `urn:service:sos${".x".repeat(2_000)}`,
    "urn:service:sos.%00",
  ]) {
    const { message } = only(b.request(ue, { ...SOS, uri, callId: `n${uri.length}` }));
    assert.match(message.requestUri, /^urn:service:sos(?:\.x){0,8}$/);
  }
});

test("a number of the list is written 112 or 110=sos.police", () => {
  assert.deepEqual(emergencyNumberOf("112"), { number: "112", service: "urn:service:sos" });
  assert.deepEqual(emergencyNumberOf(" 1-1-0 = urn:service:sos.police "), {
    number: "110",
    service: "urn:service:sos.police",
  });
  for (const text of ["", "=sos", "112=", "112=counseling", "112=sos..x", "+112", "112 113", "abc"])
    assert.equal(emergencyNumberOf(text), undefined, text);
});
