import assert from "node:assert/strict";
import { test } from "node:test";
import { SipMessage } from "@ims/sip";
import { addOrigIoi, addTermIoi } from "../../src/scscf/charging.ts";

const request = (vector: string): SipMessage =>
  SipMessage.request("INVITE", "sip:bob@example.com").append("P-Charging-Vector", vector);

test("TS 24.229 §5.4.3.2: the IOI of the visited network becomes that of the home network, a term-ioi goes", () => {
  const sent = request("icid-value=a;orig-ioi=visited.net;term-ioi=forged.net;x=1");
  addOrigIoi(sent, "home.net");
  assert.equal(sent.header("P-Charging-Vector"), 'icid-value=a;orig-ioi="home.net";x=1');
  const own = request("icid-value=a;orig-ioi=home.net");
  addOrigIoi(own, "home.net");
  assert.equal(own.header("P-Charging-Vector"), "icid-value=a;orig-ioi=home.net");
  const none = SipMessage.request("INVITE", "sip:bob@example.com");
  addOrigIoi(none, "home.net");
  assert.equal(none.has("P-Charging-Vector"), false);
});

test("TS 24.229 §5.4.3.3: the answer of the served user's network gets the home network as term-ioi", () => {
  const answer = SipMessage.response(200, "OK").append(
    "P-Charging-Vector",
    'icid-value=a;orig-ioi="home1.net";term-ioi=visited.net',
  );
  addTermIoi(answer, request("icid-value=a"), "home2.net");
  assert.equal(answer.header("P-Charging-Vector"), 'icid-value=a;orig-ioi="home1.net";term-ioi="home2.net"');
  const bare = SipMessage.response(180, "Ringing");
  addTermIoi(bare, request('icid-value=a;orig-ioi="home1.net"'), "home2.net");
  assert.equal(bare.header("P-Charging-Vector"), 'icid-value=a;orig-ioi="home1.net";term-ioi="home2.net"');
});
