import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ProvisioningClient, readRegistrations } from "@ims/api";
import { SipMessage } from "@ims/sip";
import { type CoreUnderTest, hostInUri, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const ALICE = "sip:alice@example.com";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** Who has which contact, as sprout tells an operator. */
async function contacts(identity: string): Promise<string[]> {
  const found = await readRegistrations({ url: `http://${hostInUri(core.host)}:9102` }, identity);
  assert.match(found.serverName, /^sip:/);
  const bindings = found.registrations.flatMap((one) => one.bindings);
  for (const { path, expiresIn } of bindings) assert.ok(path.length > 0 && expiresIn > 0);
  return bindings.map(({ privateIdentity, contact }) => `${privateIdentity} ${contact}`).sort();
}

function answers(ue: SipUe, request: SipMessage): void {
  const response = SipMessage.response(200, "OK");
  for (const name of ["Via", "From", "Call-ID", "CSeq"] as const)
    for (const line of request.lines(name)) response.append(name, line);
  response.append("To", `${request.header("To")};tag=${ue.localPort}`);
  ue.send(response);
}

/** Sends Alice a MESSAGE. */
function messageToAlice(caller: SipUe, text: string): void {
  const message = caller.request("MESSAGE", ALICE, { callId: `${caller.callId}-${text}` });
  for (const route of caller.serviceRoute) message.append("Route", route);
  caller.send(message.setBody(text, "text/plain"));
}

test("TS 23.228 §4.3.3.4: phone and tablet register one public identity, both are called, one leaves, and an operator sees it", async (t) => {
  const client = new ProvisioningClient(core.provisioning);
  await client.add({
    impi: "alice@example.com",
    publicIdentities: [{ impu: ALICE }],
    credentials: { password: "secret" },
  });
  await client.share({
    impi: "tablet@example.com",
    sharesWith: "alice@example.com",
    credentials: { password: "tablet-secret" },
  });
  assert.deepEqual(await contacts(ALICE), []);

  const phone = await SipUe.open(t, core, { user: "alice" });
  const tablet = await SipUe.open(t, core, {
    user: "alice",
    impi: "tablet@example.com",
    password: "tablet-secret",
  });
  assert.equal((await phone.register()).status, 200);
  const registered = await tablet.register();
  assert.equal(registered.status, 200);
  assert.equal(registered.values("Contact").length, 2);
  const contactOf = ({ impi, contact }: SipUe): string => `${impi} ${contact.slice(1, -1)}`;
  assert.deepEqual(await contacts(ALICE), [contactOf(phone), contactOf(tablet)]);

  const caller = await SipUe.open(t, core, { user: "6505550000" });
  await caller.register();
  messageToAlice(caller, "both");
  for (const ue of [phone, tablet]) answers(ue, await ue.incoming("MESSAGE"));
  assert.equal((await caller.final("MESSAGE")).status, 200);

  assert.equal((await phone.register({ contact: "*", expires: 0 })).status, 200);
  assert.deepEqual(await contacts("tablet@example.com"), [contactOf(tablet)]);
  messageToAlice(caller, "tablet");
  answers(tablet, await tablet.incoming("MESSAGE"));
  assert.equal((await caller.final("MESSAGE")).status, 200);
  await phone.expectNothing(({ method }) => method === "MESSAGE", 100);
  assert.equal((await tablet.register({ contact: "*", expires: 0 })).status, 200);
  assert.deepEqual(await contacts(ALICE), []);
});
