import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type AnalyticsEvent, analyticsEventSchema } from "../../src/analytics/analytics-event.ts";
import { AnsweredCalls } from "../../src/analytics/answered-calls.ts";
import { ScscfAnalytics } from "../../src/analytics/scscf-analytics.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, callBob, parsed, SCSCF } from "../support/bench.ts";
import { subscribe } from "../support/reg-event.ts";

/** A bench and what it has told since the last look, as whoever reads the lines sees it. */
function analysed(): { b: Bench; told: () => AnalyticsEvent[] } {
  const events: AnalyticsEvent[] = [];
  const offer = (event: AnalyticsEvent): void => void events.push(event);
  const b = benchWithUsers({
    analytics: (clock) => new ScscfAnalytics({ clock, nodeAddress: "127.0.0.1", offer }),
  });
  const told = (): AnalyticsEvent[] =>
    events.splice(0).map((event) => analyticsEventSchema.parse(JSON.parse(JSON.stringify(event))));
  return { b, told };
}

const WHERE = { analytics: 1, node: "S-CSCF", nodeAddress: "127.0.0.1" } as const;

/** Without what differs from run to run. */
function bare({ id, ...event }: AnalyticsEvent): Omit<AnalyticsEvent, "id"> {
  assert.match(id, /^[\w-]{22}$/);
  return event;
}

test("a registration is told with its user, contacts and time; a refresh, an end and a refusal as what they are", async () => {
  const { b, told } = analysed();
  await b.registered();
  const time = new Date(b.clock.now()).toISOString();
  assert.deepEqual(told().map(bare), [
    {
      ...WHERE,
      ...{ time, event: "registered", impu: "sip:alice@example.com", impi: "alice@example.com" },
      ...{
        contacts: 1,
        expires: 3600,
        icid: "abc",
        callId: "reg-sip:alice@example.com",
        status: 200,
        took: 0,
      },
    },
  ]);
  await b.registered();
  assert.deepEqual(
    told().map(({ event }) => event),
    ["reRegistered"],
  );
  await b.registered({ expires: 0 });
  assert.deepEqual(
    told().map(({ event, by, contacts, expires, impi }) => ({ event, by, contacts, expires, impi })),
    [{ event: "deregistered", by: "user", contacts: 0, expires: 0, impi: "alice@example.com" }],
  );
  const wrong = b.answerTo(await b.exchange(b.register()), { password: "guess" });
  await b.exchange(b.register({ authorization: wrong }));
  assert.deepEqual(
    told().map(({ event, impu, status, callId }) => ({ event, impu, status, callId })),
    [
      {
        event: "registrationFailed",
        impu: "sip:alice@example.com",
        status: 403,
        callId: "reg-sip:alice@example.com",
      },
    ],
  );
});

test("a registration that lapses and one that the HSS ends are told with who has ended them", async () => {
  const { b, told } = analysed();
  await b.registered({ expires: 60 });
  told();
  await b.advance(62_000);
  assert.deepEqual(
    told().map(({ event, by, impu, callId }) => ({ event, by, impu, callId })),
    [{ event: "deregistered", by: "expiry", impu: "sip:alice@example.com", callId: undefined }],
  );
  await b.registered(BOB, BOB_KEYS);
  told();
  await b.entities.cxRequests.registrationTermination({
    reason: "PERMANENT_TERMINATION",
    reasonInfo: undefined,
    impi: "bob@example.com",
    associatedImpis: [],
    impus: [],
  });
  assert.deepEqual(
    told().map(({ event, by, impu }) => ({ event, by, impu })),
    [{ event: "deregistered", by: "network", impu: "sip:bob@example.com" }],
  );
});

test("a call is told of its caller and its called user when it is answered, and when it ends with its duration", async () => {
  const { b, told } = analysed();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  told();
  const invite = await callBob(b, "the-call");
  await b.advance(1_500);
  await b.exchange(b.answer(invite, 180), b.dialled());
  await b.advance(4_000);
  await b.exchange(b.answer(invite, 200, ["Contact: <sip:bob@192.0.2.2:5060>"]), b.dialled());
  const answered = told();
  const facts = {
    ...WHERE,
    ...{ time: new Date(b.clock.now()).toISOString(), event: "callAnswered" as const },
    ...{
      called: "sip:bob@example.com",
      icid: "abc",
      callId: "the-call",
      status: 200,
      ringing: 1.5,
      took: 5.5,
    },
  };
  assert.deepEqual(answered.map(bare), [
    { ...facts, role: "terminating", calling: ["sip:alice@example.com", "tel:+15550001"] },
    { ...facts, role: "originating", calling: ["sip:alice@example.com"] },
  ]);
  assert.equal(new Set(answered.map(({ id }) => id)).size, 2);

  await b.advance(60_000);
  told();
  const bye = b.request("BYE", {
    uri: "sip:alice@192.0.2.1:5060",
    ...{ from: "sip:bob@example.com", fromTag: "t1", to: "sip:alice@example.com", toTag: "f1" },
    callId: "the-call",
    headers: [`Route: <${SCSCF};lr>, <sip:127.0.0.1:5058;transport=tcp;lr>`, "Reason: Q.850;cause=16"],
  });
  await b.send(bye, b.toScscf);
  assert.deepEqual(
    told().map(({ event, role, duration, reason, callId }) => ({ event, role, duration, reason, callId })),
    [
      {
        event: "callEnded",
        role: undefined,
        duration: 60,
        reason: ["Q.850;cause=16"],
        callId: "the-call",
      },
    ],
  );
});

test("a call that fails is told once a side, with status and reason, whether or not it has rung", async () => {
  const { b, told } = analysed();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  told();
  const invite = await callBob(b, "busy");
  await b.send(b.answer(invite, 180), b.dialled());
  await b.send(b.answer(invite, 486, ['Reason: SIP;cause=486;text="Busy"']), b.dialled());
  assert.deepEqual(
    told().map(({ event, role, status, reason, ringing }) => ({ event, role, status, reason, ringing })),
    (["terminating", "originating"] as const).map((role) => ({
      ...{ event: "callFailed" as const, role, status: 486 },
      ...{ reason: ['SIP;cause=486;text="Busy"'], ringing: 0 },
    })),
  );
});

test("a subscription is told when it begins, is refreshed, ends or is refused", async () => {
  const { b, told } = analysed();
  await b.registered();
  told();
  const [accepted] = await b.send(subscribe(b, { expires: 600 }), b.toScscf);
  const begun = told();
  assert.deepEqual(
    begun.map(({ event, role, package: of, expires, calling, called, callId }) => ({
      ...{ event, role, of, expires, calling, called, callId },
    })),
    [
      {
        ...{ event: "subscribed", role: "originating", of: "reg", expires: 600 },
        ...{ calling: ["sip:alice@example.com"], called: "sip:alice@example.com", callId: "subscription" },
      },
    ],
  );
  for (const [cseq, expires, event] of [
    [2, 700, "resubscribed"],
    [3, 0, "unsubscribed"],
  ] as const) {
    await b.send(subscribe(b, { expires, cseq, inDialog: accepted as SipMessage }), b.toScscf);
    assert.deepEqual(
      told().map((one) => ({ event: one.event, expires: one.expires })),
      [{ event, expires }],
    );
  }
  await b.send(subscribe(b, { expires: 1, callId: "brief" }), b.toScscf);
  assert.deepEqual(
    told().map(({ event, status }) => ({ event, status })),
    [{ event: "subscriptionFailed", status: 423 }],
  );
});

test("what is told is text of bounded length, whatever was sent", async () => {
  const { b, told } = analysed();
  await b.registered();
  told();
  const name = Buffer.from("jürgen", "utf8").toString("latin1");
  const asserted = `<sip:${name}@example.com>`;
  const text = b.request("INVITE", {
    uri: `sip:${"x".repeat(2_000)}@example.com`,
    callId: "__proto__",
    headers: [
      `Route: <${SCSCF};lr;orig>`,
      "Contact: <sip:alice@192.0.2.1:5060>",
      `P-Asserted-Identity: <sip:alice@example.com>, ${asserted}`,
    ],
  });
  await b.send(text, b.toScscf);
  const events = told();
  assert.ok(events.length > 0);
  for (const { event, called, calling, callId } of events) {
    assert.equal(event, "callFailed");
    assert.equal(called?.length, 512);
    assert.ok(calling?.includes("sip:jürgen@example.com"), calling?.join());
    assert.equal(callId, "__proto__");
  }
});

test("how long calls are is known of a bounded number of them", () => {
  const calls = new AnsweredCalls(2);
  const message = (callId: string, from: string, to: string): SipMessage =>
    parsed(
      `SIP/2.0 200 OK\r\nFrom: <sip:a@b>;tag=${from}\r\nTo: <sip:c@d>;tag=${to}\r\nCall-ID: ${callId}\r\nCSeq: 1 BYE\r\n\r\n`,
    );
  calls.answered(message("1", "a", "b"), 10);
  calls.answered(message("1", "b", "a"), 11);
  calls.answered(message("2", "a", "b"), 20);
  calls.answered(message("3", "a", "b"), 30);
  assert.equal(calls.size, 2);
  assert.equal(calls.ended(message("1", "a", "b")), undefined);
  assert.equal(calls.ended(message("2", "b", "a")), 20);
  assert.equal(calls.ended(message("2", "b", "a")), undefined);
});
