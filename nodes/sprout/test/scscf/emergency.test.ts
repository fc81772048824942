import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF, SCSCF } from "../support/bench.ts";
import { benchWithCriteria, chainBench, ifc, method } from "../support/chain.ts";
import { documentOf, notifies, subscribe, subscribed } from "../support/reg-event.ts";

const INSTANCE = ';+sip.instance="<urn:uuid:00000000-0000-0000-0000-000000000001>"';
const ORDINARY = { contact: `<sip:alice@192.0.2.1:5060>${INSTANCE}` };
const EMERGENCY = { contact: `<sip:alice@192.0.2.9:5060;sos>${INSTANCE}`, callId: "sos" };
const ALICE = "sip:alice@example.com";

function contactsOf(response: SipMessage): string[] {
  return response.values("Contact").map((value) => /<([^>]+)>/.exec(value)?.[1] ?? value);
}

/** Where a call for a user goes; the status when it goes nowhere. */
async function called(b: Bench, more: readonly string[] = [], uri = ALICE): Promise<string | number> {
  const sent = await b.exchange(b.request("MESSAGE", { uri, headers: [`Route: <${ICSCF};lr>`, ...more] }));
  return sent.isRequest ? sent.requestUri : sent.status;
}

const CALLBACK = ["Priority: psap-callback"];

test("TS 24.229 §5.4.8.2: an emergency registration is a binding of its own; neither kind replaces the other, also of one instance", async () => {
  const b = benchWithUsers();
  await b.registered(ORDINARY);
  const both = await b.registered(EMERGENCY);
  assert.deepEqual(contactsOf(both), ["sip:alice@192.0.2.1:5060", "sip:alice@192.0.2.9:5060;sos"]);
  // From another address: that contact of the instance moves, the other one does not.
  const moved = await b.registered({ contact: `<sip:alice@192.0.2.2:5060>${INSTANCE}`, callId: "new" });
  assert.deepEqual(contactsOf(moved), ["sip:alice@192.0.2.2:5060", "sip:alice@192.0.2.9:5060;sos"]);
  const again = await b.registered({ ...EMERGENCY, contact: `<sip:alice@192.0.2.8:5060;sos>${INSTANCE}` });
  assert.deepEqual(contactsOf(again), ["sip:alice@192.0.2.2:5060", "sip:alice@192.0.2.8:5060;sos"]);
});

test("TS 29.228 §6.1.1: UAR carries the emergency flag for an emergency registration only", async () => {
  const b = benchWithUsers();
  await b.registered(EMERGENCY);
  await b.registered(ORDINARY);
  const asked = b.cx.calls.flatMap((call) => (call.command === "UAR" ? [call.query.emergency] : []));
  assert.deepEqual(asked, [true, true, undefined, undefined]);
  assert.deepEqual(
    b.cx.taken().filter((one) => one.startsWith("SAR")),
    ["SAR REGISTRATION", "SAR RE_REGISTRATION"],
  );
});

test("TS 29.228 §6.1.1: what was allowed in an emergency is asked anew for an ordinary registration with the same Call-ID", async () => {
  const b = benchWithUsers({ options: { reuseAuthorization: true } });
  const challenged = await b.exchange(b.register(EMERGENCY));
  b.cx.next.UAR.push({ kind: "rejected", reason: "roamingNotAllowed" });
  const refused = await b.exchange(
    b.register({ ...ORDINARY, callId: EMERGENCY.callId, authorization: b.answerTo(challenged) }),
  );
  assert.equal(refused.status, 403);
});

test("TS 24.229 §5.4.8: nobody is told of emergency registrations; the ordinary one beside it begins and ends as ever", async () => {
  const heard: string[] = [];
  const b = benchWithUsers({
    listeners: [
      {
        registered: (_, initial, exchange) =>
          void (exchange && heard.push(initial ? "registered" : "refreshed")),
        deregistered: () => void heard.push("deregistered"),
      },
    ],
  });
  await b.registered({ ...EMERGENCY, expires: 600 });
  await b.registered({ ...EMERGENCY, expires: 600 });
  assert.deepEqual(heard, []);
  await b.registered(ORDINARY);
  await b.registered(ORDINARY);
  assert.deepEqual(heard.splice(0), ["registered", "refreshed"]);
  const gone = await b.registered({ ...ORDINARY, expires: 0 });
  assert.deepEqual(contactsOf(gone), ["sip:alice@192.0.2.9:5060;sos"]);
  assert.deepEqual(heard.splice(0), ["deregistered"]);
  // The HSS has him registered until the emergency registration has lapsed.
  assert.equal(b.cx.servers.has(ALICE), true);
  await b.advance(700_000);
  assert.deepEqual(heard, []);
  assert.equal(b.cx.servers.has(ALICE), false);
});

test("TS 24.229 §5.4.1.5: when the ordinary registration lapses its servers are told, although an emergency registration goes on", async () => {
  const heard: string[] = [];
  const b = benchWithUsers({
    listeners: [{ registered: () => {}, deregistered: () => void heard.push("deregistered") }],
  });
  await b.registered({ ...ORDINARY, expires: 100 });
  await b.registered({ ...EMERGENCY, expires: 600 });
  await b.advance(150_000);
  assert.deepEqual(heard, ["deregistered"]);
  assert.equal(await called(b), "sip:alice@192.0.2.9:5060;sos");
});

test("TS 24.229 §5.4.8.3: a UE cannot end its emergency registration: 501, and * leaves it", async () => {
  const b = benchWithUsers();
  await b.registered(ORDINARY);
  await b.registered(EMERGENCY);
  assert.equal((await b.exchange(b.register({ ...EMERGENCY, expires: 0 }))).status, 501);
  const all = await b.registered({ contact: "*", expires: 0, callId: "all" });
  assert.deepEqual(contactsOf(all), ["sip:alice@192.0.2.9:5060;sos"]);
});

test("TS 24.229 §5.4.8.2: a user whose identities are all barred registers for an emergency, and for nothing else", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({ impi: "carol@example.com", impus: ["!sip:carol@example.com"] });
  const carol = { impu: "sip:carol@example.com" };
  const keys = { username: "carol@example.com" };
  const accepted = await b.registered({ ...carol, contact: "<sip:carol@192.0.2.3;sos>" }, keys);
  assert.deepEqual(accepted.values("P-Associated-URI"), []);
  assert.equal(await called(b, CALLBACK, carol.impu), "sip:carol@192.0.2.3;sos");
  assert.equal(await called(b, [], carol.impu), 404);
  const challenged = await b.exchange(
    b.register({ ...carol, contact: "<sip:carol@192.0.2.3>", callId: "2" }),
  );
  const refused = await b.exchange(
    b.register({
      ...carol,
      contact: "<sip:carol@192.0.2.3>",
      callId: "2",
      authorization: b.answerTo(challenged, keys),
    }),
  );
  assert.equal(refused.status, 403);
});

test("a REGISTER with both kinds of Contact, or an instance that looks like a key of ours, is 400; phones beyond the bound may still call for help", async () => {
  const b = benchWithUsers({ options: { maxBindings: 2 } });
  const mixed = "<sip:alice@192.0.2.1>, <sip:alice@192.0.2.1;sos>";
  assert.equal((await b.exchange(b.register({ contact: mixed }))).status, 400);
  const evil = '<sip:alice@192.0.2.1>;+sip.instance="<;sos|x>"';
  assert.equal((await b.exchange(b.register({ contact: evil }))).status, 400);
  await b.registered({ contact: "<sip:alice@192.0.2.1>", callId: "1" });
  await b.registered({ contact: "<sip:alice@192.0.2.2>", callId: "2" });
  await b.registered({ contact: "<sip:alice@192.0.2.3;sos>", callId: "3" });
});

test("TS 24.229 §5.4.8.6, §5.4.8.7: emergency registrations are not seen by subscribers, nor do they subscribe", async () => {
  const b = benchWithUsers();
  await b.registered({ contact: "<sip:alice@192.0.2.1:5060>" });
  await subscribed(b);
  await b.registered(EMERGENCY);
  assert.deepEqual(notifies(await b.advance(1_000)), []);
  const { notify } = await subscribed(b, { callId: "second" });
  assert.deepEqual(
    documentOf(notify).registrations.map(({ contacts }) => contacts.map(({ uri }) => uri)),
    [["sip:alice@192.0.2.1:5060"], ["sip:alice@192.0.2.1:5060"]],
  );
  const contact = "<sip:alice@192.0.2.9:5060;sos>";
  const refused = await b.exchange(subscribe(b, { callId: "third", contact }), b.toScscf);
  assert.equal(refused.status, 489);
});

test("TS 24.229 §5.4.8.6: who is registered for an emergency only is registered for no subscriber: 480", async () => {
  const b = benchWithUsers();
  await b.registered(EMERGENCY);
  const refused = await b.exchange(subscribe(b, { route: null, from: "sip:127.0.0.1:5058" }), b.toScscf);
  assert.equal(refused.status, 480);
});

test("RFC 7090, TS 24.229 §5.4.8: a PSAP calls back over the emergency registration, others call over the ordinary one", async () => {
  const b = benchWithUsers();
  await b.registered(ORDINARY);
  assert.equal(await called(b, CALLBACK), "sip:alice@192.0.2.1:5060");
  await b.registered(EMERGENCY);
  assert.equal(await called(b), "sip:alice@192.0.2.1:5060");
  assert.equal(await called(b, CALLBACK), "sip:alice@192.0.2.9:5060;sos");
  assert.equal(await called(b, ["Priority: emergency"]), "sip:alice@192.0.2.1:5060");
});

test("a PSAP in the PSTN cannot mark its call: it reaches who is registered for an emergency only", async () => {
  const b = benchWithUsers();
  await b.registered(EMERGENCY);
  assert.equal(await called(b), "sip:alice@192.0.2.9:5060;sos");
});

test("RFC 7090 §1: a call back by a PSAP meets no application server; an ordinary call does", async () => {
  const b = await chainBench({ bob: [ifc(6000)] });
  const call = async (headers: readonly string[]): Promise<SipMessage> =>
    b.exchange(
      b.request("MESSAGE", { uri: "sip:bob@example.com", headers: [`Route: <${ICSCF};lr>`, ...headers] }),
    );
  assert.match((await call([])).top("Route") ?? "", /:6000/);
  assert.equal((await call(CALLBACK)).requestUri, "sip:bob@192.0.2.2:5060");
});

test("TS 24.229 §5.4.3.2: over an emergency registration alone nobody calls others", async () => {
  const b = benchWithUsers();
  await b.registered(BOB, BOB_KEYS);
  await b.registered(EMERGENCY);
  const headers = [`Route: <${SCSCF};lr;orig>`, `P-Asserted-Identity: <${ALICE}>`];
  const answer = await b.exchange(b.request("MESSAGE", { uri: BOB.impu, headers }), b.toScscf);
  assert.equal(answer.status, 403);
});

test("TS 29.228 §6.1.3: the HSS ends ordinary registrations; emergency registrations stay and are named in the answer", async () => {
  const heard: string[] = [];
  const b = benchWithUsers({
    listeners: [{ registered: () => {}, deregistered: (impu) => void heard.push(impu) }],
  });
  await b.registered(ORDINARY);
  await b.registered(EMERGENCY);
  const request = {
    reason: "PERMANENT_TERMINATION",
    reasonInfo: undefined,
    impi: "alice@example.com",
    associatedImpis: [],
    impus: [],
  } as const;
  const result = await b.entities.cxRequests.registrationTermination(request);
  assert.deepEqual(result, { kept: [{ impi: "alice@example.com", impu: ALICE }] });
  assert.deepEqual(heard, [ALICE]);
  b.cx.servers.set(ALICE, SCSCF);
  assert.equal(await called(b, CALLBACK), "sip:alice@192.0.2.9:5060;sos");
  // Another S-CSCF has the user now: nothing of him stays here.
  const moved = { ...request, reason: "NEW_SERVER_ASSIGNED" } as const;
  assert.equal(await b.entities.cxRequests.registrationTermination(moved), "success");
  assert.equal(await called(b, CALLBACK), 480);
});

test("TS 24.229 §5.4.1.7, §5.4.8.4: application servers are not told of an emergency registration; one that is away ends the ordinary one, not this", async () => {
  const told = ifc(6000, { when: [method("REGISTER")], defaultHandling: "terminate" });
  const b = benchWithCriteria({ alice: [told] });
  await b.registered(EMERGENCY);
  assert.deepEqual(await b.advance(100), []);
  const challenged = await b.exchange(b.register(ORDINARY));
  const left = await b.send(b.register({ ...ORDINARY, authorization: b.answerTo(challenged) }));
  assert.equal(left.find(({ status }) => status > 0)?.status, 200);
  const thirdParty = left.find((one) => one.method === "REGISTER" && one.isRequest);
  assert.ok(thirdParty);
  assert.equal(await called(b), "sip:alice@192.0.2.1:5060");
  await b.send(b.answer(thirdParty, 500), b.dialled(6000));
  assert.equal(await called(b), "sip:alice@192.0.2.9:5060;sos");
  assert.equal(b.cx.servers.has(ALICE), true);
});
