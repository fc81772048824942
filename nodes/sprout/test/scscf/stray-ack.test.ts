import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Bench, BOB, BOB_KEYS, SCSCF } from "../support/bench.ts";
import { Members } from "../support/members.ts";

async function called(t: TestContext): Promise<{ first: Bench; second: Bench }> {
  const pool = new Members(t);
  pool.cx.subscribers.push(
    { impi: "alice@example.com", impus: ["sip:alice@example.com"] },
    { impi: "bob@example.com", impus: ["sip:bob@example.com"] },
  );
  const [first, second] = [pool.start({ pooled: true }), pool.start({ pooled: true })];
  await first.registered();
  await first.registered(BOB, BOB_KEYS);
  return { first, second };
}

const CALL = {
  uri: "sip:bob@example.com",
  callId: "c",
  branch: "z9hG4bKcall",
  headers: [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"],
} as const;

test("RFC 3261 §17.1.1.3, §16.11: the ACK of a refusal that comes to another S-CSCF ends the transaction at the callee's P-CSCF", async (t) => {
  const { first, second } = await called(t);
  const [invite] = await first.send(first.request("INVITE", CALL), first.toScscf);
  assert.equal(invite?.requestUri, "sip:bob@192.0.2.2:5060");
  const [ack, ...more] = await second.send(second.request("ACK", { ...CALL, toTag: "t1" }), second.toScscf);
  assert.deepEqual([ack?.method, ack?.requestUri, more], ["ACK", invite.requestUri, []]);
  assert.equal(ack?.top("Via"), invite.top("Via"));
  assert.deepEqual(ack?.lines("Route"), invite.lines("Route"));
  assert.equal(ack?.toTag, "t1");
});

test("RFC 3261 §13.2.2.4: the ACK of a 2xx follows its dialog's route set at any member", async (t) => {
  const { second } = await called(t);
  const text = second.request("ACK", {
    ...CALL,
    uri: "sip:bob@192.0.2.2:5060",
    branch: "z9hG4bKack",
    toTag: "t1",
    headers: [`Route: <${SCSCF};lr>`, "Route: <sip:mark@127.0.0.1:5058;transport=tcp;lr>"],
  });
  const [ack, ...more] = await second.send(text, second.toScscf);
  assert.deepEqual([ack?.method, more], ["ACK", []]);
  assert.deepEqual(ack?.values("Route"), ["<sip:mark@127.0.0.1:5058;transport=tcp;lr>"]);
});
