import assert from "node:assert/strict";
import { test } from "node:test";
import { sipReader } from "../../src/trail/read-sip.ts";

function glance(first: string, ...fields: string[]) {
  const text = [first, "Via: SIP/2.0/UDP h;branch=z9hG4bK1", ...fields, "", ""].join("\r\n");
  return sipReader.glance?.(Buffer.from(text, "latin1"));
}

test("a short look tells what begins and what ends a registration or a call, also of compact and folded forms", () => {
  assert.deepEqual(
    glance(
      "INVITE sip:b@x SIP/2.0",
      'f: "A; tag=1" <sip:a@x;x=1>;tag=t',
      "t: <sip:b@x>",
      "i: c1",
      "CSeq: 1 INVITE",
      'P-Charging-Vector: icid-value="i;1";orig-ioi=x',
    ),
    {
      ...{ callId: "c1", icid: "i;1", inDialog: false, request: true, method: "INVITE" },
      ...{ from: "sip:a@x", to: "sip:b@x" },
    },
  );
  const bye = glance(
    "BYE sip:b@x SIP/2.0",
    "From: <sip:a@x>;tag=1",
    "To: <sip:b@x> ; tag=2",
    "Call-ID: c1",
    "CSeq: 2 BYE",
  );
  assert.deepEqual([bye?.method, bye?.inDialog], ["BYE", true]);
  const answer = ["From: <sip:a@x>;tag=1", "To: <sip:b@x>;tag=2", "Call-ID: c1"];
  const refused = glance("SIP/2.0 486 Busy Here", ...answer, "CSeq: 1 INVITE");
  assert.deepEqual(
    [refused?.request, refused?.method, refused?.status, refused?.reason],
    [false, "INVITE", 486, "Busy Here"],
  );
  assert.equal(glance("SIP/2.0 180 Ringing", ...answer, "CSeq: 1 INVITE"), undefined, "not final");
  assert.equal(glance("SIP/2.0 200 OK", ...answer, "CSeq: 1 PRACK"), undefined);
  assert.equal(glance("REFER sip:b@x SIP/2.0", ...answer, "CSeq: 1 REFER"), undefined);
  assert.equal(glance("INVITE sip:b@x SIP/2.0", "CSeq: 1 INVITE"), undefined, "of no call");
});

test("RFC 3261 §10.2.2: a REGISTER that takes a registration back is told by Expires or by its Contact", () => {
  const register = (...fields: string[]) =>
    glance("REGISTER sip:x SIP/2.0", "To: <sip:a@x>", "Call-ID: r1", ...fields)?.ends;
  assert.equal(register("Contact: <sip:a@h>", "Expires: 0"), true);
  assert.equal(register("m: <sip:a@h>;q=1;expires=0"), true);
  assert.equal(register("Contact: <sip:a@h>;expires=06", "Expires: 600"), undefined);
  assert.equal(register("Contact: <sip:a@h>"), undefined);
});
