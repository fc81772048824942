import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** What follows the counter in a branch of a request outside a dialog: FNV-1a of what the sender knows anyway. */
function branchSuffix(parts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const part of parts)
    for (const char of `${part}\n`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return `.${(hash >>> 0).toString(36)}`;
}

/** Every UE that was ever called has seen a branch of the P-CSCF. */
async function seenBranch(ue: SipUe): Promise<{ prefix: string; count: number }> {
  assert.equal((await ue.register()).status, 200);
  const message = ue.request("MESSAGE", ue.impu, { callId: `${ue.callId}-m` });
  for (const route of ue.serviceRoute) message.append("Route", route);
  ue.send(message.setBody("me", "text/plain"));
  const branch = (await ue.incoming("MESSAGE")).topVia?.branch ?? "";
  const [head = ""] = branch.split(".");
  return { prefix: head.slice(0, 15), count: Number.parseInt(head.slice(15, 21), 36) };
}

test("RFC 3261 §17.1.3, §26: a UE cannot answer its own REGISTER in the registrar's place", async (t) => {
  const known = await SipUe.open(t, core, { user: "6505550000", address: "127.0.0.21" });
  const { prefix, count } = await seenBranch(known);
  const attacker = await SipUe.open(t, core, {
    user: "6505550001",
    password: "wrong",
    address: "127.0.0.22",
  });
  const register = attacker.request("REGISTER", `sip:${core.domain}`);
  register.append("Contact", attacker.contact).append("Expires", "600");
  const suffix = branchSuffix([
    `sip:${core.domain}`,
    register.fromTag,
    "",
    register.callId,
    register.header("CSeq") ?? "",
    "",
  ]);
  attacker.send(register);
  for (let ahead = 0; ahead < 40; ahead++) {
    const branch = `${prefix}${(count + ahead).toString(36)}`;
    attacker.sendText(
      [
        "SIP/2.0 200 OK",
        `Via: SIP/2.0/TCP ${core.host}:5058;branch=${branch}${suffix}`,
        `Via: ${register.header("Via")}`,
        `From: ${register.header("From")}`,
        `To: ${register.header("To")};tag=forged`,
        `Call-ID: ${register.callId}`,
        `CSeq: ${register.header("CSeq")}`,
        `Contact: ${attacker.contact};expires=600`,
        `P-Associated-URI: <${attacker.impu}>`,
        `Service-Route: <sip:orig@${core.host}:5054;lr;orig>`,
        "Content-Length: 0\r\n\r\n",
      ].join("\r\n"),
    );
  }
  const answer = await attacker.final("REGISTER");
  assert.equal(answer.toTag === "forged", false, "the forged answer was believed");
  assert.equal(answer.status, 401);
  const message = attacker.request("MESSAGE", known.impu, { callId: `${attacker.callId}-m` });
  attacker.send(message.setBody("believe me", "text/plain"));
  assert.equal((await attacker.final("MESSAGE")).status, 403);
});

test("RFC 3261 §17.1.3: a UE cannot answer a request that went to another UE", async (t) => {
  const callee = await SipUe.open(t, core, { user: "6505550000", address: "127.0.0.21" });
  assert.equal((await callee.register()).status, 200);
  const caller = await SipUe.open(t, core, { user: "6505550001", address: "127.0.0.22" });
  assert.equal((await caller.register()).status, 200);
  const stranger = await SipUe.open(t, core, { user: "6505550001", address: "127.0.0.23" });
  const message = caller.request("MESSAGE", callee.impu, { callId: `${caller.callId}-m` });
  for (const route of caller.serviceRoute) message.append("Route", route);
  caller.send(message.setBody("are you there?", "text/plain"));
  const received = await callee.incoming("MESSAGE");
  const vias = received.values("Via").map((via) => `Via: ${via}`);
  stranger.sendText(
    [
      "SIP/2.0 603 Decline",
      ...vias,
      `From: ${received.header("From")}`,
      `To: ${received.header("To")};tag=forged`,
      `Call-ID: ${received.callId}`,
      `CSeq: ${received.header("CSeq")}`,
      "Content-Length: 0\r\n\r\n",
    ].join("\r\n"),
  );
  await caller.expectNothing((one) => one.status >= 200, 300);
  callee.sendText(
    [
      "SIP/2.0 200 OK",
      ...vias,
      `From: ${received.header("From")}`,
      `To: ${received.header("To")};tag=true`,
      `Call-ID: ${received.callId}`,
      `CSeq: ${received.header("CSeq")}`,
      "Content-Length: 0\r\n\r\n",
    ].join("\r\n"),
  );
  assert.equal((await caller.final("MESSAGE")).status, 200);
});
