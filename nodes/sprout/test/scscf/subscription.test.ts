import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF, PATH, SCSCF } from "../support/bench.ts";
import { benchWithCriteria, ifc, only } from "../support/chain.ts";
import { documentOf, notifies, RECORD_ROUTE, subscribe, subscribed, told } from "../support/reg-event.ts";

async function withAlice(): Promise<Bench> {
  const b = benchWithUsers();
  await b.registered({ expires: 600 });
  return b;
}

async function refused(b: Bench, fields: Parameters<typeof subscribe>[1]): Promise<SipMessage> {
  return only(await b.send(subscribe(b, fields), b.toScscf));
}

test("TS 24.229 §5.4.2.1.1: a UE subscribes to its own registration: 200, then the full state in the dialog", async () => {
  const b = await withAlice();
  const { ok, notify } = await subscribed(b, { expires: 600_000, event: "reg;id=7" });
  assert.equal(ok.header("Expires"), "600000");
  assert.equal(ok.header("Record-Route"), RECORD_ROUTE);
  assert.equal(ok.header("P-Charging-Vector"), 'icid-value=abc;term-ioi="example.com"');
  assert.equal(notify.requestUri, "sip:alice@192.0.2.1:5060");
  assert.equal(notify.header("Route"), RECORD_ROUTE);
  assert.equal(notify.header("Event"), "reg;id=7");
  assert.equal(notify.header("Subscription-State"), "active;expires=600000");
  assert.equal(notify.header("From"), `<sip:alice@example.com>;tag=${ok.toTag}`);
  assert.equal(notify.header("To"), "<sip:alice@example.com>;tag=f1");
  assert.equal(notify.header("CSeq"), "1 NOTIFY");
  assert.equal(notify.header("Contact"), ok.header("Contact"));
  assert.equal(notify.header("P-Charging-Vector"), 'icid-value=abc;orig-ioi="example.com"');
  const document = documentOf(notify);
  assert.equal(document.version, 0);
  assert.equal(document.state, "full");
  assert.deepEqual(told(notify), [
    "sip:alice@example.com active: sip:alice@192.0.2.1:5060 active registered",
    "tel:+15550001 active: sip:alice@192.0.2.1:5060 active created",
  ]);
  assert.equal(document.registrations[0]?.contacts[0]?.expires, 600);
});

test("TS 24.229 §5.4.2.1.1 step 1: the P-CSCF in its Path and the application servers of its criteria may know, others get 403", async () => {
  const b = benchWithCriteria({ alice: [ifc(7001)] });
  await b.registered({ path: PATH });
  const as = "sip:127.0.0.1:7001;transport=tcp";
  for (const from of [
    "sip:127.0.0.1:5058;transport=tcp",
    as,
    "sip:service@127.0.0.1:7001",
    "tel:+1-555-0001",
  ]) {
    const { notify } = await subscribed(b, { from, callId: `of ${from}`, route: `<${SCSCF};lr>` });
    assert.equal(documentOf(notify).registrations.length, 2);
  }
  for (const from of [
    null,
    "sip:bob@example.com",
    "sip:127.0.0.1:7002",
    "sip:127.0.0.1",
    "tel:+15550002",
    "http://127.0.0.1:5058",
    "nonsense",
  ]) {
    const response = await refused(b, { from, callId: `not of ${from}`, route: `<${SCSCF};lr>` });
    assert.equal(response.status, 403, String(from));
  }
});

test("TS 24.229 §5.4.2.1.1: a barred identity of the user is no reason to be told anything", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    impi: "eve@example.com",
    impus: ["sip:eve@example.com", "!sip:hidden@example.com"],
  });
  const eve = { impu: "sip:eve@example.com", contact: "<sip:eve@192.0.2.5>" };
  await b.registered(eve, { username: "eve@example.com" });
  const about = "sip:eve@example.com";
  assert.equal((await refused(b, { about, from: "sip:hidden@example.com" })).status, 403);
  const { notify } = await subscribed(b, { about, from: about });
  assert.deepEqual(told(notify), ["sip:eve@example.com active: sip:eve@192.0.2.5 active registered"]);
});

test("TS 24.229 §5.4.2.1.1 step 0: nobody is told of who has no contact: 480; others' users are asked for where they are", async () => {
  const b = await withAlice();
  assert.equal((await refused(b, { about: "sip:bob@example.com", route: `<${SCSCF};lr>` })).status, 480);
  // The UE's own S-CSCF sends it on; the I-CSCF finds that nobody serves Bob.
  assert.equal((await refused(b, { about: "sip:bob@example.com" })).status, 480);
  await b.registered(BOB, BOB_KEYS);
  assert.equal((await refused(b, { about: "sip:bob@example.com" })).status, 403);
  const [first] = await b.send(subscribe(b, { route: `<${ICSCF};lr>`, from: "sip:127.0.0.1:5058" }));
  assert.equal(first?.status, 200);
});

test("RFC 6665 §4.2.1.3: what is addressed to the S-CSCF is about registrations or 489; other packages are proxied", async () => {
  const b = await withAlice();
  await b.registered(BOB, BOB_KEYS);
  const own = await refused(b, { about: SCSCF, event: "presence", route: null });
  assert.equal(own.status, 489);
  assert.equal(own.header("Allow-Events"), "reg");
  const sent = only(
    await b.send(subscribe(b, { about: "sip:bob@example.com", event: "presence" }), b.toScscf),
  );
  assert.equal(sent.method, "SUBSCRIBE");
});

test("RFC 6665 §4.2.1.1: too brief is 423, what cannot be sent 406, what says nothing an hour and two minutes", async () => {
  const b = await withAlice();
  const brief = await refused(b, { expires: 59 });
  assert.equal(brief.status, 423);
  assert.equal(brief.header("Min-Expires"), "60");
  const other = b.request("SUBSCRIBE", {
    uri: "sip:alice@example.com",
    headers: [
      `Route: <${SCSCF};lr;orig>`,
      "P-Asserted-Identity: <sip:alice@example.com>",
      "Event: reg",
      "Accept: application/pidf+xml",
      "Contact: <sip:alice@192.0.2.1>",
    ],
  });
  const unacceptable = only(await b.send(other, b.toScscf));
  assert.equal(unacceptable.status, 406);
  assert.equal(unacceptable.header("Accept"), "application/reginfo+xml");
  const { ok } = await subscribed(b);
  assert.equal(ok.header("Expires"), "3761");
});

test("RFC 6665 §4.4.3: a look at the state keeps nothing", async () => {
  const b = await withAlice();
  const left = await b.send(subscribe(b, { expires: 0 }), b.toScscf);
  assert.equal(left[0]?.status, 200);
  assert.equal(left[0]?.header("Expires"), "0");
  const [notify] = notifies(left);
  assert.equal(notify?.header("Subscription-State"), "terminated;reason=timeout");
  assert.equal(documentOf(notify).registrations.length, 2);
  assert.deepEqual(notifies(await b.send(b.register({ expires: 0 }), b.toIcscf)), []);
});

test("RFC 6665 §4.1.2.2, §4.1.2.3: a subscription is refreshed in its dialog, and ended; a strange dialog is 481", async () => {
  const b = await withAlice();
  const { ok } = await subscribed(b, { expires: 100 });
  const again = await b.send(
    subscribe(b, { inDialog: ok, cseq: 2, expires: 200, contact: "<sip:alice@192.0.2.9>" }),
    b.toScscf,
  );
  assert.equal(again[0]?.status, 200);
  assert.equal(again[0]?.header("Expires"), "200");
  assert.equal(again[0]?.header("To"), ok.header("To"));
  const [second] = notifies(again);
  assert.equal(second?.header("CSeq"), "2 NOTIFY");
  assert.equal(documentOf(second).version, 1);
  assert.equal(second?.requestUri, "sip:alice@192.0.2.9");
  assert.equal((await refused(b, { inDialog: ok, cseq: 1, expires: 200 })).status, 500);
  assert.equal((await refused(b, { inDialog: ok, cseq: 3, expires: 200, callId: "another" })).status, 481);
  const ended = await b.send(subscribe(b, { inDialog: ok, cseq: 3, expires: 0 }), b.toScscf);
  assert.equal(ended[0]?.status, 200);
  assert.equal(notifies(ended)[0]?.header("Subscription-State"), "terminated;reason=timeout");
  assert.equal(documentOf(notifies(ended)[0]).version, 2);
  assert.equal((await refused(b, { inDialog: ok, cseq: 4, expires: 200 })).status, 481);
});

test("a UE that subscribes again and again keeps the last four, and those of others stay", async () => {
  const b = await withAlice();
  await subscribed(b, { from: "sip:127.0.0.1:5058", callId: "edge", route: `<${SCSCF};lr>` });
  for (let n = 0; n < 10; n++) await subscribed(b, { callId: `s${n}` });
  const challenged = await b.exchange(b.register({ expires: 600, callId: "next" }));
  const left = await b.send(
    b.register({ expires: 600, callId: "next", authorization: b.answerTo(challenged) }),
  );
  assert.deepEqual(
    notifies(left)
      .map(({ callId }) => callId)
      .sort(),
    ["edge", "s6", "s7", "s8", "s9"],
  );
});

test("a SUBSCRIBE without a usable Contact, or with more of a route than any has, is 400; a stranger's garbage changes nothing", async () => {
  const b = await withAlice();
  for (const contact of [
    "*",
    "<mailto:a@b>",
    "<sip:a@b>, <sip:c@d>",
    "nonsense",
    `<sip:${"a".repeat(7_000)}@b>`,
  ])
    assert.equal((await refused(b, { contact })).status, 400, contact.slice(0, 40));
  const routes = Array.from(
    { length: 200 },
    (_, n) => `Record-Route: <sip:proxy-${n}.visited.example.com;lr>`,
  );
  assert.equal((await refused(b, { headers: routes })).status, 400);
});
