import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import {
  ALICE,
  BOB_URI,
  calls,
  diverting,
  forwardTo,
  MMTEL,
  type MmtelBench,
  mmtelBench,
  requestIn,
} from "../support/mmtel.ts";

/** What was said to users: it leaves for the S-CSCF, which is this process, over its port. */
function told(b: MmtelBench): SipMessage[] {
  return b.originated.splice(0);
}

test("TS 24.604 §4.5.2.6: who wants it is told by MESSAGE which call went where and why", async () => {
  const b = await mmtelBench({
    simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [{ kind: "busy" }], { notifyServedUser: true })) },
  });
  const asked = requestIn(await calls(b));
  assert.deepEqual(told(b), [], "nothing has been diverted yet");
  await b.send(b.answer(asked, 486), b.dialled());
  const [message, ...more] = told(b);
  assert.equal(more.length, 0);
  assert.equal(message?.method, "MESSAGE");
  assert.equal(message?.requestUri, BOB_URI);
  assert.equal(message?.header("P-Asserted-Identity"), `<${MMTEL}>`);
  assert.equal(message?.body, `Call from ${ALICE} diverted to ${ALICE} (busy)`);
  assert.equal(message?.header("Content-Type"), "text/plain");
  assert.deepEqual(message?.values("Route"), ["<sip:127.0.0.1:5054;transport=tcp;lr>"]);
  assert.ok(b.counted.includes("servedUserNotified"));
});

test("TS 24.604 §4.5.2.6: a caller who is not to be known is not named; without the wish nobody is told", async () => {
  const hidden = await mmtelBench({
    simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [], { notifyServedUser: true })) },
  });
  await calls(hidden, { headers: ["Privacy: id"] });
  assert.equal(told(hidden)[0]?.body, `Call from anonymous diverted to ${ALICE} (all calls)`);
  const quiet = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(ALICE)) } });
  await calls(quiet);
  assert.deepEqual(told(quiet), []);
});

test("TS 24.604 §4.5.2.6: who calls somebody is reminded that calls are diverted, while the rule is active", async () => {
  const reminds = { notifyServedUserOnOutboundCall: true };
  const b = await mmtelBench({
    simservs: { [ALICE]: diverting(forwardTo(BOB_URI, [{ kind: "no-answer" }], reminds)) },
  });
  requestIn(await calls(b));
  const [message] = told(b);
  assert.equal(message?.requestUri, ALICE);
  assert.equal(message?.body, `Your calls are diverted to ${BOB_URI}`);
  assert.deepEqual(message?.values("Route"), ["<sip:127.0.0.1:5054;transport=tcp;lr>"]);
  const off = await mmtelBench({
    simservs: { [ALICE]: diverting(forwardTo(BOB_URI, [{ kind: "rule-deactivated" }], reminds)) },
  });
  await calls(off);
  assert.deepEqual(told(off), []);
});

test("RFC 3428: what the user is told reaches the phone by the S-CSCF, like any MESSAGE to him", async () => {
  const b = await mmtelBench({
    simservs: { [BOB_URI]: diverting(forwardTo(ALICE, [{ kind: "busy" }], { notifyServedUser: true })) },
  });
  await b.send(b.answer(requestIn(await calls(b)), 486), b.dialled());
  const [message] = told(b);
  assert.ok(message);
  // As it arrives at the S-CSCF's port.
  message.prepend("Via", "SIP/2.0/TCP 127.0.0.1:5054;branch=z9hG4bKtold").append("Max-Forwards", "70");
  const arrived = requestIn(await b.send(message.toString(), b.toScscf), "MESSAGE");
  assert.equal(arrived.requestUri, "sip:bob@192.0.2.2:5060");
  assert.match(arrived.body, /^Call from .* \(busy\)$/);
  assert.deepEqual(told(b), [], "it is no call, so nobody is told of it");
});
