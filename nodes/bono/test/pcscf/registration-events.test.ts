import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRegInfo, type ContactEvent, type RegInfo } from "@ims/ims";
import { CORE, only, PcscfBench, type Sent, SPROUT } from "../support/pcscf-bench.ts";

const SETS = ["P-Associated-URI: <sip:alice@example.com>, <tel:+15550001>"];

/** Alice registers; the SUBSCRIBE that leaves for her, if any. */
function begin(
  bench: PcscfBench,
  port = 40001,
): { ue: ReturnType<PcscfBench["ue"]>; subscribe: Sent | undefined } {
  const ue = bench.ue(port);
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  const left = bench.answer(toCore, 200, accepted(600));
  assert.equal(left.length, 2, left.map(({ text }) => text).join("\n"));
  return { ue, subscribe: left.find(({ message }) => message.method === "SUBSCRIBE") };
}

function register(bench: PcscfBench, ue: ReturnType<PcscfBench["ue"]>) {
  return {
    method: "REGISTER",
    uri: "sip:example.com",
    to: "<sip:alice@example.com>",
    callId: `reg-${ue.id}-${bench.clock.now()}`,
    headers: [
      'Authorization: Digest username="alice@example.com",realm="example.com",nonce="n",uri="sip:example.com",response="0123"',
    ],
  };
}

function accepted(expires: number): string[] {
  return [
    `Contact: <sip:alice@10.1.1.1:5060>;expires=${expires}`,
    `Service-Route: <sip:${SPROUT}:5054;transport=tcp;lr;orig>`,
    ...SETS,
  ];
}

/** The S-CSCF answers a SUBSCRIBE. */
function grant(bench: PcscfBench, subscribe: Sent | undefined): Sent[] {
  assert.ok(subscribe);
  return bench.answer(subscribe, 200, [
    `Contact: <sip:a2V5@${SPROUT}:5054;transport=tcp>`,
    "Expires: 600000",
  ]);
}

interface NotifyFields {
  readonly cseq?: number;
  readonly state?: string;
  readonly toTag?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A NOTIFY in the dialog; the answer. */
function notify(bench: PcscfBench, subscribe: Sent | undefined, fields: NotifyFields = {}): Sent[] {
  assert.ok(subscribe);
  const { message } = subscribe;
  const body = fields.body ?? document(["sip:alice@example.com", "tel:+15550001"], fields.cseq ?? 1);
  const flow = bench.sprout();
  bench.transport.takeSent();
  flow.receive(
    [
      `NOTIFY sip:${CORE}:5058;transport=tcp SIP/2.0`,
      `Via: SIP/2.0/TCP ${SPROUT}:5054;branch=z9hG4bKn${fields.cseq ?? 1}${body.length}${fields.toTag ?? ""}`,
      "Max-Forwards: 70",
      "From: <sip:alice@example.com>;tag=t1",
      `To: <sip:${CORE}:5058;transport=tcp>;tag=${fields.toTag ?? message.fromTag}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${fields.cseq ?? 1} NOTIFY`,
      `Contact: <sip:a2V5@${SPROUT}:5054;transport=tcp>`,
      ...(fields.headers ?? ["Event: reg", "Content-Type: application/reginfo+xml"]),
      `Subscription-State: ${fields.state ?? "active;expires=600000"}`,
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n"),
  );
  assert.deepEqual(bench.defects, []);
  return bench.sent();
}

function document(
  active: readonly string[],
  version: number,
  event: ContactEvent = "registered",
  uri = "sip:alice@10.1.1.1:5060",
): string {
  const all = ["sip:alice@example.com", "tel:+15550001", ...active];
  const registrations = [...new Set(all)].map((aor): RegInfo["registrations"][number] => {
    const state = active.includes(aor) ? "active" : "terminated";
    const contacts = [
      { id: `c${aor}`, state, event: state === "active" ? "registered" : event, uri },
    ] as const;
    return { aor, id: `r${aor}`, state, contacts };
  });
  return buildRegInfo({ version, state: "full", registrations });
}

function identities(bench: PcscfBench, ue: ReturnType<PcscfBench["ue"]>): string[] {
  return bench.modules.flows
    .access(ue)
    .registrations.flatMap(({ identities }) => identities.map(({ impu }) => impu))
    .sort();
}

test("TS 24.229 §5.2.3: after the first 200 the P-CSCF subscribes to the default identity through the home network, once", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  const message = subscribe?.message;
  assert.equal(`${subscribe?.flow.remoteAddress}:${subscribe?.flow.remotePort}`, `${SPROUT}:5052`);
  assert.equal(message?.requestUri, "sip:alice@example.com");
  assert.equal(message?.header("To"), "<sip:alice@example.com>");
  const own = `<sip:${CORE}:5058;transport=tcp>`;
  assert.equal(message?.header("From"), `${own};tag=${message?.fromTag}`);
  assert.equal(message?.header("P-Asserted-Identity"), own);
  assert.equal(message?.header("Contact"), own);
  assert.equal(message?.header("Event"), "reg");
  assert.equal(message?.header("Accept"), "application/reginfo+xml");
  assert.equal(message?.header("Expires"), "600000");
  assert.equal(message?.header("P-Charging-Vector"), "icid-value=own");
  grant(bench, subscribe);
  const [again] = bench.request(ue, register(bench, ue));
  assert.ok(again);
  assert.equal(bench.answer(again, 200, accepted(600)).length, 1);
  assert.deepEqual(bench.events, ["subscribed"]);
});

test("without --subscribe-to-registrations a registration makes no further message", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40001);
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  assert.equal(bench.answer(toCore, 200, accepted(600)).length, 1);
});

test("TS 24.229 §5.2.5.2: identities that the network has deregistered go, with the last one the registration; the UE is a stranger then", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  // The NOTIFY may overtake the 200 (RFC 6665 §4.1.2.4).
  assert.equal(only(notify(bench, subscribe, { cseq: 1 })).message.status, 200);
  grant(bench, subscribe);
  assert.deepEqual(identities(bench, ue), ["sip:alice@example.com", "tel:+15550001"]);
  const less = document(["sip:alice@example.com"], 2, "rejected");
  assert.equal(only(notify(bench, subscribe, { cseq: 2, body: less })).message.status, 200);
  assert.deepEqual(identities(bench, ue), ["sip:alice@example.com"]);
  const none = document([], 3, "rejected");
  const state = "terminated;reason=noresource";
  assert.equal(only(notify(bench, subscribe, { cseq: 3, body: none, state })).message.status, 200);
  assert.deepEqual(identities(bench, ue), []);
  assert.deepEqual(bench.counts, { registered: 1, deregistered: 1 });
  assert.equal(bench.modules.flows.registrations, 0);
  assert.equal(only(bench.request(ue, { method: "MESSAGE" })).message.status, 403);
  assert.equal(bench.modules.registrationEvents?.size, 0);
  // Registered again, it is subscribed to again.
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  assert.equal(bench.answer(toCore, 200, accepted(600)).length, 2);
});

test("TS 24.229 §5.2.8.1: calls end with a registration that the network does not want, not with one that it replaces or moves", () => {
  const others = "sip:alice@10.9.9.9";
  for (const [body, released] of [
    [document([], 1, "rejected"), 1],
    [document([], 1, "probation"), 1],
    [document([], 1, "deactivated"), 0],
    [document([], 1, "expired"), 0],
    [document([], 1, "rejected", others), 0],
    [document(["sip:alice@example.com", "tel:+15550001"], 1, "registered", others), 0],
  ] as const) {
    const bench = new PcscfBench({ subscribes: true, releases: true });
    const { ue, subscribe } = begin(bench);
    grant(bench, subscribe);
    const invite = bench.request(ue, { callId: "call" }).find(({ message }) => message.isRequest);
    assert.ok(invite);
    bench.answer(invite, 200, ["Contact: <sip:bob@192.0.2.9>"]);
    notify(bench, subscribe, { body });
    assert.deepEqual([identities(bench, ue), bench.released], [[], released], body);
  }
  // It has come back over another flow in the meantime.
  const bench = new PcscfBench({ subscribes: true, releases: true });
  const { ue, subscribe } = begin(bench);
  grant(bench, subscribe);
  const invite = bench.request(ue, { callId: "call" }).find(({ message }) => message.isRequest);
  assert.ok(invite);
  bench.answer(invite, 200, ["Contact: <sip:bob@192.0.2.9>"]);
  begin(bench, 40_002);
  notify(bench, subscribe, { body: document([], 1, "rejected") });
  assert.deepEqual([identities(bench, ue), bench.released], [[], 0]);
});

test("TS 24.229 §5.2.5.2: identities and ranges that the network adds may be asserted", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  grant(bench, subscribe);
  const added = document(["sip:alice@example.com", "tel:+15550001", "sip:new@example.com"], 1).replace(
    "</reginfo>",
    '<registration aor="sip:desk-0@example.com" id="w" state="active"><contact id="cw" state="active" event="created"><uri>sip:alice@10.1.1.1:5060</uri></contact><ere:wildcardedIdentity xmlns:ere="urn:3gpp:ns:extRegExp:1.0">sip:desk-!.*!@example.com</ere:wildcardedIdentity></registration></reginfo>',
  );
  assert.equal(only(notify(bench, subscribe, { body: added })).message.status, 200);
  for (const from of ["<sip:new@example.com>", "<sip:desk-7@example.com>", "<sip:alice@example.com>"]) {
    const { message } = only(bench.request(ue, { method: "MESSAGE", from, callId: from }));
    assert.equal(message.header("P-Asserted-Identity"), from);
  }
  const { message } = only(
    bench.request(ue, { method: "MESSAGE", from: "<sip:other@example.com>", callId: "x" }),
  );
  assert.equal(message.header("P-Asserted-Identity"), "<sip:alice@example.com>");
});

test("TS 24.229 §5.2.5.2: another UE of the same identities stays registered, this one does not", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  grant(bench, subscribe);
  const other = document(["sip:alice@example.com", "tel:+15550001"], 1, "registered", "sip:alice@10.9.9.9");
  assert.equal(only(notify(bench, subscribe, { body: other })).message.status, 200);
  assert.deepEqual(identities(bench, ue), []);
});

test("RFC 6665 §4.1.3: a NOTIFY of no subscription is 481, a late one 500, what cannot be read 400, 415, 489; nothing of it counts", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  grant(bench, subscribe);
  const none = document([], 9, "rejected");
  const status = (fields: NotifyFields): number => only(notify(bench, subscribe, fields)).message.status;
  assert.equal(status({ cseq: 5, body: none, toTag: "guessed" }), 481);
  assert.equal(status({ cseq: 6, body: none, headers: ["Event: presence"] }), 489);
  assert.equal(status({ cseq: 7, body: none, headers: ["Event: reg", "Content-Type: text/plain"] }), 415);
  const bomb = '<!DOCTYPE r [<!ENTITY a "b">]><reginfo version="10" state="full">&a;</reginfo>';
  for (const [n, body] of ["<reginfo", bomb, "<a>".repeat(20_000), "\xff\xfe"].entries())
    assert.equal(status({ cseq: 8 + n, body }), 400);
  assert.equal(status({ cseq: 20 }), 200);
  assert.equal(status({ cseq: 19, body: none }), 500);
  // Overtaken by a later document.
  assert.equal(status({ cseq: 21, body: document([], 3, "rejected") }), 200);
  assert.deepEqual(identities(bench, ue), ["sip:alice@example.com", "tel:+15550001"]);
});

test("RFC 6665 §4.1.3: a notifier that has lost the user (deactivated) is asked for again; a refusal is tried at the next REGISTER", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  grant(bench, subscribe);
  const moved = notify(bench, subscribe, {
    body: "",
    headers: ["Event: reg"],
    state: "terminated;reason=deactivated",
  });
  assert.deepEqual(moved.map(({ message }) => message.method || message.status).sort(), [200, "SUBSCRIBE"]);
  assert.deepEqual(identities(bench, ue), ["sip:alice@example.com", "tel:+15550001"]);
  const again = moved.find(({ message }) => message.method === "SUBSCRIBE");
  assert.notEqual(again?.message.callId, subscribe?.message.callId);
  assert.ok(again);
  bench.answer(again, 480);
  assert.equal(bench.modules.registrationEvents?.size, 0);
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  const left = bench.answer(toCore, 200, accepted(600));
  assert.deepEqual(left.map(({ message }) => message.method || message.status).sort(), [200, "SUBSCRIBE"]);
});

test("a UE that has moved to another flow: the subscription of the old one is given up with 481", async () => {
  const bench = new PcscfBench({ subscribes: true });
  const ue = bench.ue(40001, "TCP");
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  const subscribe = bench
    .answer(toCore, 200, accepted(600))
    .find(({ message }) => message.method === "SUBSCRIBE");
  grant(bench, subscribe);
  ue.close();
  assert.equal(only(notify(bench, subscribe)).message.status, 481);
  assert.equal(bench.modules.registrationEvents?.size, 0);
});

test("a subscription that would end before the registration is refreshed in its dialog", () => {
  const bench = new PcscfBench({ subscribes: true });
  const { ue, subscribe } = begin(bench);
  assert.ok(subscribe);
  bench.answer(subscribe, 200, [`Contact: <sip:a2V5@${SPROUT}:5054;transport=tcp>`, "Expires: 300"]);
  const [toCore] = bench.request(ue, register(bench, ue));
  assert.ok(toCore);
  const refresh = bench
    .answer(toCore, 200, accepted(600))
    .find(({ message }) => message.method === "SUBSCRIBE");
  assert.equal(refresh?.message.requestUri, `sip:a2V5@${SPROUT}:5054;transport=tcp`);
  assert.equal(refresh?.message.toTag, "t1");
  assert.equal(refresh?.message.header("CSeq"), "2 SUBSCRIBE");
  assert.equal(refresh?.message.callId, subscribe.message.callId);
});
