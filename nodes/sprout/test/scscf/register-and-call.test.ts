import assert from "node:assert/strict";
import { test } from "node:test";
import { BOB, BOB_KEYS, benchWithUsers, ICSCF, SCSCF } from "../support/bench.ts";

test("TS 24.229 §5.3.1, §5.4.1: a UE registers with SIP digest through I-CSCF and S-CSCF in one process", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  assert.equal(challenged.status, 401);
  assert.match(
    challenged.header("WWW-Authenticate") ?? "",
    /^Digest realm="example.com",nonce="[\w-]{24}",algorithm=MD5,qop="auth"$/,
  );
  assert.deepEqual(b.cx.taken(), ["UAR", "MAR"]);

  const accepted = await b.exchange(b.register({ authorization: b.answerTo(challenged) }));
  assert.equal(accepted.status, 200, String(accepted));
  assert.deepEqual(b.cx.taken(), ["UAR", "SAR REGISTRATION"]);
  assert.equal(accepted.header("Contact"), "<sip:alice@192.0.2.1:5060>;expires=3600");
  assert.equal(accepted.header("Service-Route"), `<${SCSCF};lr;orig>`);
  assert.equal(accepted.header("P-Associated-URI"), "<sip:alice@example.com>, <tel:+15550001>");
  assert.equal(accepted.header("Path"), "<sip:token@127.0.0.1:5058;transport=tcp;lr;ob>");
  assert.match(
    accepted.header("Authentication-Info") ?? "",
    /^qop=auth,rspauth="[0-9a-f]{32}",cnonce="c",nc=00000001$/,
  );
  assert.equal(accepted.header("P-Charging-Vector"), 'icid-value=abc;term-ioi="example.com"');
  assert.equal(accepted.header("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
});

test("TS 24.229 §5.4.3.2, §5.3.2.1, §5.4.3.3: a call from one registered user to another stays one process step", async () => {
  const b = benchWithUsers();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  b.cx.taken();
  const invite = await b.exchange(
    b.request("INVITE", {
      uri: "sip:bob@example.com",
      callId: "the-call",
      headers: [
        `Route: <${SCSCF};lr;orig>`,
        "Record-Route: <sip:127.0.0.1:5058;transport=tcp;lr>",
        "Contact: <sip:alice@192.0.2.1:5060>",
        "P-Asserted-Identity: <sip:alice@example.com>",
      ],
    }),
    b.toScscf,
  );
  assert.deepEqual(b.cx.taken(), ["LIR"]);
  assert.equal(invite.method, "INVITE");
  assert.equal(invite.requestUri, "sip:bob@192.0.2.2:5060");
  assert.deepEqual(invite.values("Route"), ["<sip:token@127.0.0.1:5058;transport=tcp;lr;ob>"]);
  assert.equal(invite.header("P-Called-Party-ID"), "<sip:bob@example.com>");
  assert.deepEqual(invite.values("Record-Route"), [`<${SCSCF};lr>`, "<sip:127.0.0.1:5058;transport=tcp;lr>"]);
  assert.deepEqual(invite.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550001>"]);
  assert.equal(b.dialled().side, "scscf");

  const ringing = await b.exchange(b.answer(invite, 180), b.dialled());
  assert.equal(ringing.status, 180);
  assert.equal(ringing.values("Via").length, 1);
  const answered = await b.exchange(
    b.answer(invite, 200, ["Contact: <sip:bob@192.0.2.2:5060>"]),
    b.dialled(),
  );
  assert.equal(answered.status, 200);

  const ack = await b.exchange(
    b.request("ACK", {
      uri: "sip:bob@192.0.2.2:5060",
      to: "sip:bob@example.com",
      toTag: "t1",
      callId: "the-call",
      headers: [`Route: <${SCSCF};lr>, <sip:token@127.0.0.1:5058;transport=tcp;lr>`],
    }),
    b.toScscf,
  );
  assert.equal(ack.method, "ACK");
  assert.deepEqual(ack.values("Route"), ["<sip:token@127.0.0.1:5058;transport=tcp;lr>"]);

  const bye = await b.exchange(
    b.request("BYE", {
      uri: "sip:alice@192.0.2.1:5060",
      from: "sip:bob@example.com",
      fromTag: "t1",
      to: "sip:alice@example.com",
      toTag: "f1",
      callId: "the-call",
      headers: [`Route: <${SCSCF};lr>, <sip:127.0.0.1:5058;transport=tcp;lr>`],
    }),
    b.toScscf,
  );
  assert.equal(bye.method, "BYE");
  assert.deepEqual(bye.values("Route"), ["<sip:127.0.0.1:5058;transport=tcp;lr>"]);
  assert.equal((await b.exchange(b.answer(bye, 200), b.dialled())).status, 200);
  assert.deepEqual(b.cx.taken(), []);
  assert.equal(b.core.transactions !== undefined, true);
});

test("TS 24.229 §5.3.2.1: a terminating request from another network enters at the I-CSCF", async () => {
  const b = benchWithUsers();
  await b.registered(BOB, BOB_KEYS);
  const invite = await b.exchange(
    b.request("INVITE", { uri: "sip:bob@example.com", headers: [`Route: <${ICSCF};lr>`] }),
  );
  assert.equal(invite.requestUri, "sip:bob@192.0.2.2:5060");
  assert.deepEqual(invite.values("Record-Route"), [`<${SCSCF};lr>`]);
});
