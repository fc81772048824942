import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import type { TerminationReason } from "../../src/cx/cx.ts";
import { type Bench, benchWithUsers } from "../support/bench.ts";
import { benchWithCriteria, ifc, method, only } from "../support/chain.ts";
import { profileXml } from "../support/fake-cx.ts";
import { documentOf, notifies, subscribed, told } from "../support/reg-event.ts";

const ALICE = "sip:alice@example.com";
const ONE = { contact: "<sip:alice@192.0.2.1:5060>", callId: "one" };
const TWO = { contact: "<sip:alice@192.0.2.2:5060>", callId: "two" };

/** Registers (challenge and answer); what leaves with the 200. */
async function registers(b: Bench, fields: Parameters<Bench["register"]>[0]): Promise<SipMessage[]> {
  const challenged = only(await b.send(b.register(fields)));
  const left = await b.send(b.register({ ...fields, authorization: b.answerTo(challenged) }));
  const at = left.findIndex(({ status }) => status > 0);
  assert.equal(left[at]?.status, 200);
  // §5.4.2.1.2: the UE has its 200 first.
  assert.equal(at, 0);
  return left.slice(1);
}

async function withAlice(expires = 600): Promise<Bench> {
  const b = benchWithUsers();
  await b.registered({ ...ONE, expires });
  await subscribed(b);
  return b;
}

/** The contacts of the first identity: "<address> <state> <event>". */
function contacts(notify: SipMessage | undefined): string[] {
  const [first] = documentOf(notify).registrations;
  return (first?.contacts ?? []).map((one) => `${one.uri.slice(10)} ${one.state} ${one.event}`);
}

async function answered(b: Bench, notify: SipMessage | undefined, status = 200): Promise<void> {
  assert.ok(notify);
  assert.deepEqual(await b.send(b.answer(notify, status), b.dialled()), []);
}

test("TS 24.229 §5.4.2.1.2: each change is told with full state: registered, refreshed, shortened, unregistered", async () => {
  const b = await withAlice();
  const steps: [Parameters<Bench["register"]>[0], string[]][] = [
    [TWO, ["192.0.2.1:5060 active registered", "192.0.2.2:5060 active registered"]],
    [{ ...TWO, expires: 3600 }, ["192.0.2.1:5060 active registered", "192.0.2.2:5060 active refreshed"]],
    [{ ...TWO, expires: 120 }, ["192.0.2.1:5060 active registered", "192.0.2.2:5060 active shortened"]],
    [{ ...TWO, expires: 0 }, ["192.0.2.1:5060 active registered", "192.0.2.2:5060 terminated unregistered"]],
  ];
  let version = 0;
  for (const [fields, expected] of steps) {
    await b.advance(1_000);
    const notify = only(await registers(b, fields));
    assert.deepEqual(contacts(notify), expected);
    const document = documentOf(notify);
    assert.equal(document.version, ++version);
    assert.equal(notify.header("CSeq"), `${version + 1} NOTIFY`);
    assert.match(notify.header("Subscription-State") ?? "", /^active;expires=3[67]/);
    if (fields?.expires === 120) assert.equal(document.registrations[0]?.contacts[1]?.expires, 120);
    await answered(b, notify);
  }
});

test("TS 24.229 §5.4.2.1.2: with the last contact registration and subscription end", async () => {
  const b = await withAlice();
  const notify = only(await registers(b, { ...ONE, expires: 0 }));
  assert.equal(notify.header("Subscription-State"), "terminated;reason=noresource");
  assert.deepEqual(told(notify), [
    "sip:alice@example.com terminated: sip:alice@192.0.2.1:5060 terminated unregistered",
    "tel:+15550001 terminated: sip:alice@192.0.2.1:5060 terminated unregistered",
  ]);
  await answered(b, notify);
  // Nothing is left of either.
  assert.deepEqual(await registers(b, ONE), []);
  assert.deepEqual(await b.advance(120_000), []);
});

test("TS 24.229 §5.4.2.1.2: a contact that lapses is told as expired; the last one ends the subscription", async () => {
  const b = await withAlice(100);
  await answered(b, only(await registers(b, { ...TWO, expires: 200 })));
  const left: SipMessage[] = [];
  for (let second = 0; second < 230; second++) {
    const sent = notifies(await b.advance(1_000));
    left.push(...sent);
    for (const one of sent) await answered(b, one);
  }
  assert.deepEqual(left.map(contacts), [
    ["192.0.2.2:5060 active registered", "192.0.2.1:5060 terminated expired"],
    ["192.0.2.2:5060 terminated expired"],
  ]);
  assert.match(left[1]?.header("Subscription-State") ?? "", /^terminated/);
});

test("RFC 6665 §4.4.1: a subscription that lapses is ended by the notifier, the registration is not", async () => {
  const b = benchWithUsers();
  await b.registered({ ...ONE, expires: 3600 });
  await subscribed(b, { expires: 90 });
  const left: SipMessage[] = [];
  for (let second = 0; second < 95; second++)
    for (const one of await b.advance(1_000)) {
      left.push(one);
      await answered(b, one);
    }
  const notify = only(left);
  assert.equal(notify.header("Subscription-State"), "terminated;reason=timeout");
  assert.deepEqual(contacts(notify), ["192.0.2.1:5060 active registered"]);
  assert.deepEqual(await registers(b, TWO), []);
});

test("RFC 5628 §5: GRUUs of a contact; the edge is not told the temporary ones", async () => {
  const b = benchWithUsers();
  const instance = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";
  const contact = `${ONE.contact};+sip.instance="<${instance}>";+g.3gpp.smsip;q=0.5`;
  await b.registered({ contact, cseq: 70, expires: 600, headers: ["Supported: gruu"] });
  const { notify } = await subscribed(b);
  const [shown] = documentOf(notify).registrations[0]?.contacts ?? [];
  assert.equal(shown?.publicGruu, `${ALICE};gr=${instance}`);
  assert.match(shown?.temporaryGruu?.uri ?? "", /^sip:tgruu\..*@example\.com;gr$/);
  assert.equal(shown?.temporaryGruu?.firstCseq, 70);
  assert.equal(shown?.q, 500);
  assert.deepEqual(shown?.unknownParameters, [
    ["+sip.instance", `"<${instance}>"`],
    ["+g.3gpp.smsip", ""],
  ]);
  const edge = await subscribed(b, { from: "sip:127.0.0.1:5058", callId: "edge" });
  const [less] = documentOf(edge.notify).registrations[0]?.contacts ?? [];
  assert.equal(less?.publicGruu, shown?.publicGruu);
  assert.equal(less?.temporaryGruu, undefined);
});

test("TS 24.229 §5.4.2.1.2: a wildcarded identity is shown with its range; a barred one not at all", async () => {
  const b = benchWithUsers();
  const impus = ["sip:desk@example.com", "sip:desk-!.*!@example.com", "!sip:secret@example.com"];
  b.cx.subscribers.push({ impi: "desk@example.com", impus });
  await b.registered(
    { impu: "sip:desk@example.com", contact: "<sip:desk@192.0.2.7>" },
    { username: "desk@example.com" },
  );
  const { notify } = await subscribed(b, { about: "sip:desk@example.com", from: "sip:desk-7@example.com" });
  const { registrations } = documentOf(notify);
  assert.deepEqual(
    registrations.map(({ aor, wildcard }) => [aor, wildcard]),
    [
      ["sip:desk@example.com", undefined],
      ["sip:desk-@example.com", "sip:desk-!.*!@example.com"],
    ],
  );
});

test("TS 24.229 §5.4.1.5, TS 29.228 §6.1.3: what each reason of an RTR is told as", async () => {
  const reasons: [TerminationReason, string, RegExp][] = [
    ["PERMANENT_TERMINATION", "192.0.2.1:5060 terminated rejected", /^terminated;reason=noresource$/],
    ["SERVER_CHANGE", "192.0.2.1:5060 terminated deactivated", /^terminated;reason=noresource$/],
    ["NEW_SERVER_ASSIGNED", "", /^terminated;reason=deactivated$/],
    ["REMOVE_SCSCF", "", /^terminated;reason=deactivated$/],
  ];
  for (const [reason, contact, state] of reasons) {
    const b = await withAlice();
    const request = {
      reason,
      reasonInfo: undefined,
      impi: "alice@example.com",
      associatedImpis: [],
      impus: [],
    };
    assert.equal(await b.entities.cxRequests.registrationTermination(request), "success");
    const notify = only(await b.settled());
    assert.match(notify.header("Subscription-State") ?? "", state);
    // Who has another S-CSCF is registered there: nothing is said of the registration.
    if (contact === "") assert.equal(notify.body, "");
    else assert.deepEqual(contacts(notify), [contact]);
    await answered(b, notify);
    assert.deepEqual(await b.advance(120_000), []);
  }
});

test("TS 29.228 §6.2.1: identities that a profile adds are created, those it bars or lacks are rejected", async () => {
  const b = await withAlice();
  const impus = [ALICE, "!tel:+15550001", "sip:new@example.com"];
  const push = { impi: "alice@example.com", charging: undefined };
  const pushed = { ...push, profileXml: profileXml({ impi: "alice@example.com", impus }) };
  assert.equal(await b.entities.cxRequests.pushProfile(pushed), "success");
  const notify = only(await b.settled());
  assert.deepEqual(told(notify), [
    "sip:alice@example.com active: sip:alice@192.0.2.1:5060 active registered",
    "sip:new@example.com active: sip:alice@192.0.2.1:5060 active created",
    "tel:+15550001 terminated: sip:alice@192.0.2.1:5060 terminated rejected",
  ]);
  await answered(b, notify);
  // The same again, and charging addresses alone, are nothing to tell of.
  assert.equal(await b.entities.cxRequests.pushProfile(pushed), "success");
  const charging = { ecf: [], ccf: ["aaa://ccf.example.com"] };
  assert.equal(
    await b.entities.cxRequests.pushProfile({ ...push, profileXml: undefined, charging }),
    "success",
  );
  assert.deepEqual(await b.settled(), []);
});

test("TS 24.229 §5.4.1.7: a user whose application server has to be there and is not may try again after a while", async () => {
  const b = benchWithCriteria({
    alice: [ifc(7001, { when: [method("REGISTER", [1])], defaultHandling: "terminate" })],
  });
  await b.registered(ONE);
  await subscribed(b);
  const left = await registers(b, ONE);
  const asked = left.find((one) => one.method === "REGISTER") ?? assert.fail();
  await answered(b, only(notifies(left)));
  b.cx.taken();
  const notify = only(await b.send(b.answer(asked, 500), b.dialled(7001)));
  assert.deepEqual(b.cx.taken(), ["SAR ADMINISTRATIVE_DEREGISTRATION"]);
  assert.deepEqual(contacts(notify), ["192.0.2.1:5060 terminated probation"]);
  assert.equal(documentOf(notify).registrations[0]?.contacts[0]?.retryAfter, 60);
});

test("RFC 6665 §4.2.2: who answers 481, or any refusal, is subscribed no more", async () => {
  for (const status of [481, 404, 500]) {
    const b = await withAlice();
    await answered(b, only(await registers(b, TWO)), status);
    assert.deepEqual(await registers(b, { ...TWO, expires: 700 }), []);
  }
});

test("RFC 6665 §4.2.2: a subscriber out of reach is told the state twice more, then no more", async () => {
  const b = await withAlice(3600);
  await answered(b, only(await registers(b, TWO)), 430);
  const again: SipMessage[] = [];
  for (let second = 0; second < 240; second++)
    for (const one of await b.advance(1_000)) {
      again.push(one);
      await answered(b, one, 430);
    }
  assert.deepEqual(
    again.map((one) => documentOf(one).version),
    [2, 3],
  );
  assert.deepEqual(contacts(again[1]), [
    "192.0.2.1:5060 active registered",
    "192.0.2.2:5060 active registered",
  ]);
  assert.deepEqual(await registers(b, { ...TWO, expires: 700 }), []);
});

test("RFC 6665 §4.2.2: a NOTIFY without an answer ends after Timer F; one that comes through keeps the subscription", async () => {
  const b = await withAlice(3600);
  const first = only(await registers(b, TWO));
  const again: SipMessage[] = [];
  for (let second = 0; second < 300; second++)
    for (const one of await b.advance(1_000))
      if (one.header("CSeq") !== first.header("CSeq")) {
        again.push(one);
        await answered(b, one);
      }
  assert.equal(only(again).header("CSeq"), "3 NOTIFY");
  assert.equal((await registers(b, { ...TWO, expires: 700 })).length, 1);
});

test("a registration without subscriptions is written, read and watched as before", async () => {
  const b = benchWithUsers();
  await b.registered(ONE);
  const value = await b.store.get("registration", ALICE);
  assert.equal(value.kind, "found");
  if (value.kind === "found")
    assert.doesNotMatch(Buffer.from(value.value).toString().split("\n")[0] ?? "", /"w"|"g"/);
});
