import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistrationTermination } from "../../src/cx/cx.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF } from "../support/bench.ts";
import { profileXml } from "../support/fake-cx.ts";

const RTR: RegistrationTermination = {
  reason: "PERMANENT_TERMINATION",
  reasonInfo: undefined,
  impi: "bob@example.com",
  associatedImpis: [],
  impus: [],
};

async function statusFor(b: Bench, uri: string): Promise<number | string> {
  const answer = await b.exchange(b.request("MESSAGE", { uri, headers: [`Route: <${ICSCF};lr>`] }));
  return answer.isRequest ? answer.method : answer.status;
}

test("TS 24.229 §5.4.1.5: the HSS ends a registration by IMPI, whatever the reason, and is not told back", async () => {
  // TS 29.228 §6.1.3: who has got another S-CSCF is still registered, so nobody is told that he is not.
  for (const [reason, told] of [
    ["PERMANENT_TERMINATION", 1],
    ["SERVER_CHANGE", 1],
    ["NEW_SERVER_ASSIGNED", 0],
    ["REMOVE_SCSCF", 0],
  ] as const) {
    const gone: string[] = [];
    const b = benchWithUsers({
      listeners: [{ registered: () => {}, deregistered: (impu) => void gone.push(impu) }],
    });
    await b.registered(BOB, BOB_KEYS);
    b.cx.taken();
    assert.equal(await b.entities.cxRequests.registrationTermination({ ...RTR, reason }), "success");
    assert.deepEqual(b.cx.taken(), []);
    assert.deepEqual(gone, ["sip:bob@example.com"].slice(0, told));
    assert.equal(await b.entities.cxRequests.registrationTermination({ ...RTR, reason }), "unknownUser");
    assert.equal(await statusFor(b, "sip:bob@example.com"), 480);
  }
});

test("TS 29.228 §6.1.3: identities named in the RTR end their sets, also by an alias of the set", async () => {
  const b = benchWithUsers();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  const request = { ...RTR, impi: "alice@example.com", impus: ["tel:+15550001"] };
  assert.equal(await b.entities.cxRequests.registrationTermination(request), "success");
  assert.equal(await statusFor(b, "sip:bob@example.com"), "MESSAGE");
  b.cx.servers.set("sip:alice@example.com", "sip:127.0.0.1:5054;transport=tcp");
  assert.equal(await statusFor(b, "sip:alice@example.com"), 480);
});

test("TS 29.228 §6.1.3: an IMPI whose identities are named otherwise is found by what it registered", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({ impi: "001010000000001@ims.example.com", impus: ["sip:carol@example.com"] });
  const challenged = await b.exchange(
    b.register({
      impu: "sip:carol@example.com",
      authorization:
        'Digest username="001010000000001@ims.example.com",realm="example.com",nonce="",uri="sip:example.com",response=""',
    }),
  );
  const authorization = b.answerTo(challenged, { username: "001010000000001@ims.example.com" });
  await b.exchange(b.register({ impu: "sip:carol@example.com", authorization }));
  const request = { ...RTR, impi: "001010000000001@ims.example.com" };
  assert.equal(await b.entities.cxRequests.registrationTermination(request), "success");
});

test("TS 29.228 §6.2.1: a pushed profile takes effect at once: who is barred now may not call", async () => {
  const b = benchWithUsers();
  await b.registered();
  const subscriber = {
    impi: "alice@example.com",
    impus: ["sip:alice@example.com", "!tel:+15550001", "sip:new@example.com"],
  };
  const push = { impi: "alice@example.com", charging: undefined };
  const { cxRequests } = b.entities;
  assert.equal(await cxRequests.pushProfile({ ...push, profileXml: profileXml(subscriber) }), "success");
  b.cx.subscribers.unshift(subscriber);
  for (const impu of ["sip:alice@example.com", "tel:+15550001", "sip:new@example.com"])
    b.cx.servers.set(impu, "sip:127.0.0.1:5054;transport=tcp");
  assert.equal(await statusFor(b, "sip:new@example.com"), "MESSAGE");
  assert.equal(await statusFor(b, "tel:+15550001"), 404);
  assert.equal(await cxRequests.pushProfile({ ...push, profileXml: "<nonsense/>" }), "notSupportedUserData");
  const stranger = profileXml({ impi: "x@example.com", impus: ["sip:x@example.com"] });
  assert.equal(await cxRequests.pushProfile({ ...push, profileXml: stranger }), "unknownUser");
});

test("TS 29.228 §6.2.1: charging addresses may be pushed alone, and stand in the next 200", async () => {
  const b = benchWithUsers();
  await b.registered(BOB, BOB_KEYS);
  const charging = { ecf: ["aaa://ecf.example.com"], ccf: ["aaa://ccf.example.com"] };
  const push = { impi: "bob@example.com", profileXml: undefined, charging };
  assert.equal(await b.entities.cxRequests.pushProfile(push), "success");
  const response = await b.registered(BOB, BOB_KEYS);
  assert.equal(
    response.header("P-Charging-Function-Addresses"),
    'ccf="aaa://ccf.example.com"; ecf="aaa://ecf.example.com"',
  );
});
