import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import type { RegistrationTermination } from "../../src/cx/cx.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF } from "../support/bench.ts";
import { profileXml } from "../support/fake-cx.ts";

const IMPU = "sip:bob@example.com";
const TABLET = "tablet@example.com";
/** Two user equipments of Bob, each with a private identity of its own. */
const PHONE_UE = { ...BOB, callId: "phone" } as const;
const TABLET_UE = { impu: IMPU, contact: "<sip:bob@192.0.2.9:5060>", callId: "tablet" } as const;

function trusted(impi: string): string {
  return `Digest username="${impi}",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected="ip-assoc-yes"`;
}

/** Registers the tablet: its REGISTER names its private identity from the beginning. */
async function registersTablet(b: Bench): Promise<SipMessage> {
  const initial = `Digest username="${TABLET}",realm="example.com",nonce="",uri="sip:example.com",response=""`;
  const challenged = await b.exchange(b.register({ ...TABLET_UE, authorization: initial }));
  assert.equal(challenged.status, 401);
  const authorization = b.answerTo(challenged, { username: TABLET });
  return b.exchange(b.register({ ...TABLET_UE, authorization }));
}

async function withBoth(): Promise<{ b: Bench; gone: string[]; response: SipMessage }> {
  const gone: string[] = [];
  const b = benchWithUsers({
    listeners: [{ registered: () => {}, deregistered: (impu) => void gone.push(impu) }],
  });
  b.cx.subscribers.push({ impi: TABLET, impus: [IMPU] });
  await b.registered(PHONE_UE, BOB_KEYS);
  b.cx.taken();
  return { b, gone, response: await registersTablet(b) };
}

/** Where a MESSAGE for Bob goes: hosts of the contacts, or the status it is refused with. */
async function reached(b: Bench): Promise<(string | number)[]> {
  const left = await b.send(b.request("MESSAGE", { uri: IMPU, headers: [`Route: <${ICSCF};lr>`] }));
  const hosts = left.filter(({ isRequest }) => isRequest).map(({ requestUri }) => requestUri);
  return hosts.length > 0 ? hosts.sort() : left.map(({ status }) => status);
}

test("TS 24.229 §5.4.1.2.2: two private identities register one public identity, each with a contact of its own", async () => {
  const { b, response } = await withBoth();
  assert.equal(response.status, 200);
  assert.deepEqual(b.cx.taken(), ["UAR", "MAR", "UAR", "SAR REGISTRATION"]);
  // RFC 3261 §10.3 step 8: every contact of the address of record.
  assert.equal(response.values("Contact").length, 2);
  assert.deepEqual(await reached(b), ["sip:bob@192.0.2.2:5060", "sip:bob@192.0.2.9:5060"]);
});

test("TS 24.229 §5.4.1.4, TS 29.228 §6.1.2.1: one deregisters, and the other stays registered and is called", async () => {
  const { b, gone } = await withBoth();
  b.cx.taken();
  const response = await b.exchange(
    b.register({ ...PHONE_UE, contact: "*", expires: 0, authorization: trusted("bob@example.com") }),
  );
  assert.equal(response.status, 200);
  assert.equal(b.cx.calls.length, 2);
  const sar = b.cx.calls.find((call) => call.command === "SAR")?.query;
  assert.ok(sar !== undefined && "type" in sar && sar.type === "USER_DEREGISTRATION");
  assert.equal(sar.impi, "bob@example.com");
  assert.deepEqual(await reached(b), ["sip:bob@192.0.2.9:5060"]);
  // The set is registered still: nobody hears of an end.
  assert.deepEqual(gone, []);
  const last = b.register({ ...TABLET_UE, expires: 0, authorization: trusted(TABLET) });
  assert.equal((await b.exchange(last)).status, 200);
  assert.deepEqual(gone, [IMPU]);
  assert.deepEqual(await reached(b), [480]);
});

test("TS 24.229 §5.4.1.2.2: who shares an identity is trusted for his own registration only", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({ impi: TABLET, impus: [IMPU] });
  await b.registered(PHONE_UE, BOB_KEYS);
  // Protected, but this private identity is not registered.
  const answer = await b.exchange(b.register({ ...TABLET_UE, authorization: trusted(TABLET) }));
  assert.equal(answer.status, 401);
});

test("TS 24.229 §5.4.1.2.3: a wrong password of one does not disturb the registration of the other", async () => {
  const { b } = await withBoth();
  const expired = await b.exchange(b.register({ ...TABLET_UE, expires: 0, authorization: trusted(TABLET) }));
  assert.equal(expired.status, 200);
  const initial = `Digest username="${TABLET}",realm="example.com",nonce="",uri="sip:example.com",response=""`;
  const challenged = await b.exchange(b.register({ ...TABLET_UE, authorization: initial }));
  const wrong = b.answerTo(challenged, { username: TABLET, password: "guess" });
  assert.equal((await b.exchange(b.register({ ...TABLET_UE, authorization: wrong }))).status, 403);
  const failures = b.cx.calls.flatMap(({ query }) =>
    "type" in query && query.type === "AUTHENTICATION_FAILURE" ? [query.impi] : [],
  );
  assert.deepEqual(failures, [TABLET]);
  assert.deepEqual(await reached(b), ["sip:bob@192.0.2.2:5060"]);
});

test("TS 24.229 §5.4.1.4: of two that share an identity one lapses, in its time, and the HSS hears of that one", async () => {
  const { b, gone } = await withBoth();
  const brief = b.register({ ...TABLET_UE, expires: 60, authorization: trusted(TABLET) });
  assert.equal((await b.exchange(brief)).status, 200);
  b.cx.taken();
  await b.advance(62_000);
  assert.deepEqual(
    b.cx.calls.map(({ query }) => ("type" in query ? [query.type, query.impi] : [])),
    [["TIMEOUT_DEREGISTRATION", TABLET]],
  );
  assert.deepEqual(gone, []);
  assert.deepEqual(await reached(b), ["sip:bob@192.0.2.2:5060"]);
});

test("TS 24.229 §5.4.1.5: an RTR for one private identity ends its contacts, one that names both ends all", async () => {
  const request: RegistrationTermination = {
    reason: "PERMANENT_TERMINATION",
    reasonInfo: undefined,
    impi: TABLET,
    associatedImpis: [],
    impus: [],
  };
  const { b, gone } = await withBoth();
  assert.equal(await b.entities.cxRequests.registrationTermination(request), "success");
  assert.deepEqual(await reached(b), ["sip:bob@192.0.2.2:5060"]);
  assert.deepEqual(gone, []);
  assert.equal((await registersTablet(b)).status, 200);
  const both = { ...request, impus: [IMPU], associatedImpis: ["bob@example.com"] };
  assert.equal(await b.entities.cxRequests.registrationTermination(both), "success");
  assert.deepEqual(gone, [IMPU]);
});

test("TS 29.228 §6.2.1: a profile pushed under one private identity holds for the contacts of both", async () => {
  const { b } = await withBoth();
  const pushed = profileXml({ impi: TABLET, impus: [IMPU, "tel:+15550009"] });
  const push = { impi: TABLET, profileXml: pushed, charging: undefined };
  assert.equal(await b.entities.cxRequests.pushProfile(push), "success");
  const again = b.register({ ...PHONE_UE, authorization: trusted("bob@example.com") });
  const response = await b.exchange(again);
  assert.equal(response.header("P-Associated-URI"), `<${IMPU}>, <tel:+15550009>`);
  assert.equal(response.values("Contact").length, 2);
});
