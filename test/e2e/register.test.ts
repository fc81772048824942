import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

test("TS 24.229 §5.4.1.2: the first REGISTER is challenged, the answered one gets Service-Route, P-Associated-URI and its contact", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000" });
  const challenge = await ue.register({ rounds: 0 });
  assert.equal(challenge.status, 401);
  assert.match(challenge.header("WWW-Authenticate") ?? "", /^Digest .*nonce="[^"]{16,}"/);
  const ok = await ue.register();
  assert.equal(ok.status, 200);
  assert.ok(ok.values("Service-Route").length > 0);
  assert.ok(ok.values("P-Associated-URI").some((value) => value.includes("sip:6505550000@example.com")));
  assert.match(ok.top("Contact") ?? "", /;expires=\d+/);
  assert.equal(ok.has("P-Charging-Vector"), false);
  assert.equal((await ue.register({ expires: 0 })).status, 200);
});

test("TS 24.229 §5.4.1.2.3: a wrong password is not registered, an unknown user gets 403 or 404", async (t) => {
  const wrong = await SipUe.open(t, core, { user: "6505550000", password: "wrong" });
  assert.notEqual((await wrong.register({ rounds: 1 })).status, 200);
  const unknown = await SipUe.open(t, core, { user: "9999999999" });
  assert.ok([403, 404].includes((await unknown.register()).status));
});

test("TS 24.229 §5.4.1.2.2: an answer to a nonce that was never given is challenged again", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000" });
  const stale = ue.answer(
    `Digest realm="${core.domain}", nonce="0123456789abcdef0123456789abcdef", algorithm=MD5, qop="auth"`,
    "REGISTER",
    `sip:${core.domain}`,
  );
  const response = await ue.register({
    rounds: 0,
    edit: (request) => void request.set("Authorization", stale),
  });
  assert.equal(response.status, 401);
});

test("RFC 3261 §10.2.2: a UE that deregisters is gone, also with Contact *", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550001" });
  assert.equal((await ue.register()).status, 200);
  assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
  const caller = await SipUe.open(t, core, { user: "6505550000" });
  await caller.register();
  const message = caller.request("MESSAGE", "sip:6505550001@example.com", { callId: `${caller.callId}-m` });
  for (const route of caller.serviceRoute) message.append("Route", route);
  caller.send(message.setBody("hello", "text/plain"));
  assert.equal((await caller.final("MESSAGE")).status, 480);
});

test("TS 24.229 §5.2.6.3: who is not registered is refused, whatever identity he asserts", async (t) => {
  const stranger = await SipUe.open(t, core, { user: "6505550000" });
  const message = stranger.request("MESSAGE", "sip:6505550001@example.com");
  message.append("P-Asserted-Identity", "<sip:6505550000@example.com>");
  stranger.send(message.setBody("hello", "text/plain"));
  assert.equal((await stranger.final("MESSAGE")).status, 403);
});

test("OPTIONS to the core itself is answered 200", async (t) => {
  const ue = await SipUe.open(t, core, { user: "poll" });
  ue.send(ue.request("OPTIONS", `sip:${core.host}:5060`));
  assert.equal((await ue.final("OPTIONS")).status, 200);
});
