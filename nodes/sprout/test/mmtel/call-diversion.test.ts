import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import {
  ALICE,
  BOB_URI,
  bars,
  calls,
  diverting,
  forwardTo,
  type MmtelBench,
  mmtelBench,
  requestIn,
  statuses,
} from "../support/mmtel.ts";

/** Alice's phone, where Bob's calls go. */
const ALICES_PHONE = "sip:alice@192.0.2.1:5060";
const BOBS_PHONE = "sip:bob@192.0.2.2:5060";

/** Bob's phone answers the call; what leaves. */
function answers(
  b: MmtelBench,
  asked: SipMessage,
  status: number,
  headers: readonly string[] = [],
): Promise<SipMessage[]> {
  return b.send(b.answer(asked, status, headers), b.dialled());
}

test("TS 24.604 §4.5.2.6 CFU: the call goes at once, the caller is told, and the history says why", async () => {
  const b = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(ALICE)) } });
  const sent = await calls(b);
  assert.deepEqual(statuses(sent), [181]);
  const asked = requestIn(sent);
  assert.equal(asked.requestUri, ALICES_PHONE);
  assert.equal(asked.header("P-Called-Party-ID"), `<${ALICE};cause=302>`);
  assert.deepEqual(asked.values("History-Info"), [
    `<${BOB_URI}>;index=1`,
    `<${ALICE};cause=302>;index=1.1;mp=1`,
  ]);
  assert.equal(asked.header("P-Asserted-Identity"), `<${ALICE}>`, "of the caller, not of who diverted");
  const told = sent.find(({ status }) => status === 181);
  assert.deepEqual(told?.values("History-Info"), asked.values("History-Info"));
  assert.deepEqual(statuses(await answers(b, asked, 200)), [200]);
  assert.ok(b.counted.includes("diverted"));
});

test("TS 24.604 §4.5.2.6 CFB: 486 of the phone diverts, and is in the history", async () => {
  const b = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [{ kind: "busy" }])) } });
  const asked = requestIn(await calls(b));
  assert.equal(asked.requestUri, BOBS_PHONE);
  assert.equal(asked.has("History-Info"), false);
  const sent = await answers(b, asked, 486);
  assert.deepEqual(statuses(sent), [181]);
  const diverted = requestIn(sent);
  assert.equal(diverted.requestUri, ALICES_PHONE);
  assert.deepEqual(diverted.values("History-Info"), [
    `<${BOB_URI}?Reason=SIP%3Bcause%3D486>;index=1`,
    `<${ALICE};cause=486>;index=1.1;mp=1`,
  ]);
  assert.deepEqual(
    statuses(await answers(b, diverted, 603)),
    [603],
    "what the new destination says is the answer",
  );
});

test("TS 24.604 §4.5.2.6 CFNR: nobody answers in the time of the rule, of the service, of the operator", async () => {
  const rule = forwardTo(ALICE, [{ kind: "no-answer" }], { notifyCaller: false });
  const cases = [
    [{ ...rule, action: { ...rule.action, noReplySeconds: 10 } }, 30, 10],
    [rule, 30, 30],
    [rule, undefined, 20],
  ] as const;
  for (const [rules, noReplySeconds, seconds] of cases) {
    const b = await mmtelBench({
      simservs: { [BOB_URI]: { communicationDiversion: { active: true, noReplySeconds, rules: [rules] } } },
    });
    const asked = requestIn(await calls(b));
    await b.advance(15_000);
    assert.deepEqual(statuses(await answers(b, asked, 180)), [180]);
    assert.deepEqual(await b.advance(seconds * 1_000 - 100), []);
    const sent = await b.advance(200);
    assert.equal(requestIn(sent, "CANCEL").requestUri, BOBS_PHONE);
    const diverted = requestIn(sent);
    assert.equal(diverted.values("History-Info").at(-1), `<${ALICE};cause=408>;index=1.1;mp=1`);
    assert.deepEqual(statuses(sent), [], "notify-caller is off");
    // What the phone that is cancelled says is not the caller's.
    assert.deepEqual(statuses(await answers(b, asked, 487)), []);
    assert.deepEqual(statuses(await answers(b, diverted, 486)), [486]);
    assert.equal((await b.advance(60_000)).length, 0);
  }
});

test("RFC 3261 §16.7: who answers while the call is being diverted has it", async () => {
  const b = await mmtelBench({
    simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [{ kind: "no-answer" }])) },
  });
  const asked = requestIn(await calls(b));
  await answers(b, asked, 180);
  const diverted = requestIn(await b.advance(20_100));
  await answers(b, diverted, 180);
  const sent = await answers(b, asked, 200);
  assert.deepEqual(statuses(sent), [200]);
  assert.equal(requestIn(sent, "CANCEL").requestUri, diverted.requestUri);
});

test("TS 24.604 §4.5.2.6: 480 of a phone that has rung counts as no answer", async () => {
  const b = await mmtelBench({
    simservs: {
      [BOB_URI]: diverting(
        forwardTo("sip:x@example.org", [{ kind: "not-reachable" }]),
        forwardTo(ALICE, [{ kind: "no-answer" }]),
      ),
    },
  });
  const asked = requestIn(await calls(b));
  await answers(b, asked, 180);
  const diverted = requestIn(await answers(b, asked, 480));
  assert.equal(diverted.requestUri, ALICES_PHONE);
  // The timer has gone with the answer.
  await answers(b, diverted, 200);
  assert.deepEqual(await b.advance(30_000), []);
});

test("TS 24.604 §4.5.2.6 CFNRc: a phone that cannot be reached", async () => {
  for (const status of [408, 480, 503]) {
    const b = await mmtelBench({
      simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [{ kind: "not-reachable" }])) },
    });
    const asked = requestIn(await calls(b));
    const diverted = requestIn(await answers(b, asked, status));
    assert.equal(diverted.values("History-Info").at(-1), `<${ALICE};cause=503>;index=1.1;mp=1`);
  }
});

test("TS 24.604 §4.5.2.6 CFNL: a user who is not registered", async () => {
  const b = await mmtelBench({
    simservs: {
      [BOB_URI]: diverting(
        forwardTo("sip:x@example.org", [{ kind: "busy" }]),
        forwardTo(ALICE, [{ kind: "not-registered" }]),
      ),
    },
  });
  await b.advance(3_700_000);
  await b.registered();
  const sent = await calls(b);
  assert.deepEqual(statuses(sent), [181]);
  assert.equal(requestIn(sent).values("History-Info").at(-1), `<${ALICE};cause=404>;index=1.1;mp=1`);
});

test("TS 24.604 §4.5.2.6: a 302 of the phone deflects the call, at once or while it rings", async () => {
  for (const [rings, cause] of [
    [false, 480],
    [true, 487],
  ] as const) {
    const b = await mmtelBench({ simservs: { [BOB_URI]: diverting() } });
    const asked = requestIn(await calls(b));
    if (rings) await answers(b, asked, 180);
    const sent = await answers(b, asked, 302, [`Contact: <mailto:a@b>, <${ALICE}?Subject=x>`]);
    const diverted = requestIn(sent);
    assert.equal(diverted.requestUri, ALICES_PHONE);
    assert.equal(diverted.values("History-Info").at(-1), `<${ALICE};cause=${cause}>;index=1.1;mp=1`);
  }
  const without = await mmtelBench();
  const asked = requestIn(await calls(without));
  assert.deepEqual(statuses(await answers(without, asked, 302, [`Contact: <${ALICE}>`])), [302]);
});

test("RFC 7044 §10.1: who does not want to be known is hidden from the target, or from the caller", async () => {
  const rule = forwardTo(ALICE, [], {
    revealIdentityToCaller: false,
    revealServedUserIdentityToCaller: false,
    revealIdentityToTarget: false,
  });
  const b = await mmtelBench({ simservs: { [BOB_URI]: diverting(rule) } });
  const sent = await calls(b);
  assert.deepEqual(requestIn(sent).values("History-Info"), [
    `<${BOB_URI}?Privacy=history>;index=1`,
    `<${ALICE};cause=302>;index=1.1;mp=1`,
  ]);
  assert.deepEqual(sent.find(({ status }) => status === 181)?.values("History-Info"), [
    `<${BOB_URI}?Privacy=history>;index=1`,
    `<${ALICE};cause=302?Privacy=history>;index=1.1;mp=1`,
  ]);
});

test("TS 24.604 §4.5.2.6.1: a call that is diverted round and round ends, and a rule to oneself is none", async () => {
  const b = await mmtelBench({
    simservs: { [BOB_URI]: diverting(forwardTo(ALICE)), [ALICE]: diverting(forwardTo(BOB_URI)) },
  });
  const sent = await calls(b);
  assert.deepEqual(statuses(sent), [181, 181, 181, 181, 181, 480]);
  assert.equal(b.counted.filter((each) => each === "diverted").length, 5);
  const self = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(BOB_URI)) } });
  assert.equal(requestIn(await calls(self)).requestUri, BOBS_PHONE);
});

test("a call that the caller gives up is not diverted any more", async () => {
  const b = await mmtelBench({
    simservs: {
      [BOB_URI]: diverting(
        forwardTo(ALICE, [{ kind: "busy" }, { kind: "no-answer" }]),
        forwardTo(ALICE, [{ kind: "no-answer" }]),
      ),
    },
  });
  const invite = b.request("INVITE", {
    uri: BOB_URI,
    branch: "z9hG4bKgiven-up",
    callId: "given-up",
    headers: ["Route: <sip:127.0.0.1:5054;transport=tcp;lr;orig>", `P-Asserted-Identity: <${ALICE}>`],
  });
  const asked = requestIn(await b.send(invite, b.toScscf));
  await answers(b, asked, 180);
  const cancel = b.request("CANCEL", { uri: BOB_URI, branch: "z9hG4bKgiven-up", callId: "given-up" });
  const cancelled = await b.send(cancel, b.toScscf);
  assert.equal(requestIn(cancelled, "CANCEL").requestUri, BOBS_PHONE);
  const sent = await answers(b, asked, 487);
  assert.deepEqual(statuses(sent), [487]);
  assert.deepEqual(await b.advance(30_000), []);
});

test("TS 24.604 §4.6: outgoing barring of who diverts holds for where the call goes", async () => {
  const b = await mmtelBench({
    simservs: {
      [BOB_URI]: {
        ...diverting(forwardTo(ALICE)),
        outgoingBarring: bars([{ kind: "identity", one: [ALICE], many: [] }]),
      },
    },
  });
  assert.deepEqual(statuses(await calls(b)), [181, 603]);
});

test("a history that makes no sense is carried on, and nothing fails", async () => {
  const odd = [
    "x",
    "<",
    "<sip:a@b;index=1",
    "<sip:a@b>;index=",
    "<sip:a@b>;index=1.1.999999999999999",
    '"quoted <" <sip:a@b?Reason=x>;index=1.2',
    `<sip:a@b>;index=${"1.".repeat(500)}1`,
    Array.from({ length: 200 }, (_, index) => `<sip:a@b;cause=302>;index=${index}`).join(", "),
  ];
  for (const history of odd) {
    const b = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(ALICE)) } });
    const sent = await calls(b, { headers: [`History-Info: ${history}`] });
    const limit = history.includes("cause=302");
    assert.deepEqual(statuses(sent), [limit ? 480 : 181], history.slice(0, 40));
    if (!limit)
      assert.match(
        requestIn(sent).values("History-Info").at(-1) ?? "",
        /^<sip:alice@example.com;cause=302>;index=/,
      );
  }
});
