import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const BOB = "sip:6505550001@example.com";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

async function pair(t: TestContext, transport: "udp" | "tcp"): Promise<[SipUe, SipUe]> {
  const ues: SipUe[] = [];
  for (const user of ["6505550000", "6505550001"]) {
    const ue = await SipUe.open(t, core, { user, transport });
    // Bindings that an earlier test left go first: a set that is not registered cannot be deregistered (TS 29.228 §6.1.1).
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
    ues.push(ue);
  }
  return ues as [SipUe, SipUe];
}

for (const transport of ["udp", "tcp"] as const) {
  test(`a call over ${transport.toUpperCase()}: set up, re-INVITE from the callee, BYE from the caller`, async (t) => {
    const [alice, bob] = await pair(t, transport);
    const call = await establish(alice, bob, BOB);
    assert.match(call.received.header("P-Asserted-Identity") ?? "", /sip:6505550000@example\.com/);
    assert.equal(call.received.has("P-Charging-Vector"), false);
    assert.equal(call.received.header("P-Called-Party-ID")?.includes("6505550001"), true);
    assert.match(call.received.requestUri, new RegExp(`${bob.localPort}`));

    bob.send(call.inDialog("callee", "INVITE"));
    const again = await alice.incoming("INVITE");
    reply(alice, again, 200);
    assert.equal((await bob.final("INVITE")).status, 200);
    const ack = call.inDialog("callee", "ACK");
    ack.set("CSeq", `${again.cseqNumber} ACK`);
    bob.send(ack);
    await alice.incoming("ACK");

    alice.send(call.inDialog("caller", "BYE"));
    reply(bob, await bob.incoming("BYE"), 200);
    assert.equal((await alice.final("BYE")).status, 200);
  });
}

test("BYE from the callee reaches the caller", async (t) => {
  const [alice, bob] = await pair(t, "udp");
  const call = await establish(alice, bob, BOB);
  bob.send(call.inDialog("callee", "BYE"));
  reply(alice, await alice.incoming("BYE"), 200);
  assert.equal((await bob.final("BYE")).status, 200);
});

test("RFC 3261 §9: a call given up before the answer ends with 487 on both sides", async (t) => {
  const [alice, bob] = await pair(t, "udp");
  const invite = inviteOf(alice, BOB);
  alice.send(invite);
  const received = await bob.incoming("INVITE");
  reply(bob, received, 180);
  await alice.expect((message) => message.status === 180, "180");
  const cancel = invite.clone();
  cancel.method = "CANCEL";
  cancel.set("CSeq", `${invite.cseqNumber} CANCEL`).remove("Contact").remove("Content-Type");
  alice.send(cancel.setBody(""));
  assert.equal((await alice.final("CANCEL")).status, 200);
  const cancelled = await bob.incoming("CANCEL");
  reply(bob, cancelled, 200);
  reply(bob, received, 487);
  assert.equal((await alice.final("INVITE")).status, 487);
  await bob.incoming("ACK");
});

test("an unregistered callee is 480, an unknown one 404, a busy one 486", async (t) => {
  const [alice, bob] = await pair(t, "udp");
  alice.send(inviteOf(alice, BOB));
  reply(bob, await bob.incoming("INVITE"), 486);
  assert.equal((await alice.final("INVITE")).status, 486);
  await bob.register({ contact: "*", expires: 0 });
  for (const [uri, status] of [
    [BOB, 480],
    ["sip:nobody@example.com", 404],
  ] as const) {
    const invite = inviteOf(alice, uri);
    invite.set("Call-ID", `${invite.callId}-${status}`);
    alice.send(invite);
    assert.equal((await alice.final("INVITE")).status, status);
  }
});

test("a stranger who knows the dialog cannot end the call", async (t) => {
  const [alice, bob] = await pair(t, "udp");
  const call = await establish(alice, bob, BOB);
  for (const user of ["6505550000", "mallory"]) {
    const mallory = await SipUe.open(t, core, { user, address: "127.0.0.77" });
    const bye = call.inDialog("caller", "BYE");
    bye.set(
      "Via",
      `SIP/2.0/UDP ${mallory.localAddress}:${mallory.localPort};branch=z9hG4bKevil${user};rport`,
    );
    mallory.send(bye);
    const refused = await mallory.final("BYE");
    assert.ok([403, 481].includes(refused.status), `${refused.status}`);
  }
  await bob.expectNothing((message) => message.method === "BYE", 300);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
});

test("RFC 5627: a UE that uses its public GRUU as Contact is reached by ACK and BYE", async (t) => {
  const [alice, other] = await pair(t, "udp");
  await other.register({ contact: "*", expires: 0 });
  const instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
  const bob = await SipUe.open(t, core, {
    user: "6505550001",
    contactParameters: `;+sip.instance="<${instance}>"`,
  });
  const registered = await bob.register();
  const gruu = /pub-gruu="([^"]+)"/.exec(registered.values("Contact").join(", "))?.[1];
  assert.ok(gruu, registered.values("Contact").join(", "));
  const call = await establish(alice, bob, BOB, { contact: `<${gruu}>` });
  const bye = call.inDialog("caller", "BYE");
  assert.equal(bye.requestUri, gruu);
  alice.send(bye);
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
});

test("three contacts ring together, one answers, the others are cancelled", async (t) => {
  const [alice, bob] = await pair(t, "udp");
  const others = [
    await SipUe.open(t, core, { user: "6505550001" }),
    await SipUe.open(t, core, { user: "6505550001", transport: "tcp" }),
  ];
  for (const other of others) assert.equal((await other.register()).status, 200);
  alice.send(inviteOf(alice, BOB));
  const all = [bob, ...others];
  const invites = await Promise.all(all.map((ue) => ue.incoming("INVITE")));
  all.forEach((ue, index) => void (invites[index] && reply(ue, invites[index], 180)));
  const [, second] = invites;
  if (second !== undefined && others[0] !== undefined) reply(others[0], second, 200);
  assert.equal((await alice.final("INVITE")).status, 200);
  for (const ue of [bob, others[1]]) await ue?.incoming("CANCEL");
});
