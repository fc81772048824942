import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { rawTcpClient, rawUdpClient } from "../support/raw-sip-client.ts";
import { SipUe } from "../support/sip-ue.ts";

const BOB = "sip:6505550001@example.com";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** A REGISTER of a stranger of exactly that many octets. */
function register(host: string, transport: "UDP" | "TCP", octets: number): string {
  const head = [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/${transport} ${host}:5999;branch=z9hG4bK${octets}${transport}`,
    "Max-Forwards: 70",
    "From: <sip:6505550000@example.com>;tag=1",
    "To: <sip:6505550000@example.com>",
    `Call-ID: size${octets}${transport}`,
    "CSeq: 1 REGISTER",
    "Content-Length: 0",
    "Subject: ",
  ].join("\r\n");
  return `${head}${"x".repeat(octets - head.length - 4)}\r\n\r\n`;
}

test("RFC 3261 §18: a message as long as may be does not cost others the connection between the nodes", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000" });
  const bob = await SipUe.open(t, core, { user: "6505550001" });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  alice.send(inviteOf(alice, BOB));
  const received = await bob.incoming("INVITE");
  reply(bob, received, 180);
  await alice.expect((one) => one.status === 180, "180");

  const where = { host: core.host, port: 5060 };
  const tcp = await rawTcpClient(t, where);
  const udp = await rawUdpClient(t, where);
  for (const octets of [65_000, 65_300, 65_400, 65_500, 65_536]) {
    tcp.send(register(core.host, "TCP", octets));
    await tcp.expect(
      `an answer to ${octets} octets`,
      (text) => text.includes(`size${octets}TCP`) && text.startsWith("SIP/2.0 401"),
    );
  }
  for (const octets of [65_000, 65_507]) {
    udp.send(register(core.host, "UDP", octets));
    await udp.expect(
      `an answer to ${octets} octets`,
      (text) => text.includes(`size${octets}UDP`) && text.startsWith("SIP/2.0 401"),
    );
  }
  // The call that was ringing all the time goes on.
  await alice.expectNothing((one) => one.status >= 300 && one.cseqMethod === "INVITE", 200);
  reply(bob, received, 200);
  assert.equal((await alice.final("INVITE")).status, 200);
});

test("RFC 3261 §10.3: contacts too long to be told all at once are refused", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000", transport: "tcp" });
  assert.equal((await alice.register()).status, 200);
  for (let one = 0; one < 6; one++) {
    const contact = `<sip:a${one}@${alice.localAddress}:5999;x=${"y".repeat(30_000)}>`;
    const answer = await alice.register({ contact });
    assert.ok([200, 400].includes(answer.status), `${one}: ${answer.status}`);
  }
  const other = await SipUe.open(t, core, { user: "6505550000" });
  const found = await other.register();
  assert.equal(found.status, 200);
  assert.ok(found.toString().length < 30_000);
  assert.equal((await other.register({ contact: "*", expires: 0 })).status, 200);
});

test("a callee's answer as long as may be does not cost others the connection between the nodes", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000", transport: "tcp" });
  const bob = await SipUe.open(t, core, { user: "6505550001", transport: "tcp" });
  for (const ue of [alice, bob]) {
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
  }
  const ringing = inviteOf(alice, BOB);
  alice.send(ringing);
  const received = await bob.incoming("INVITE");
  const answer = reply(bob, received, 180);
  answer.appendUnknown("X-Long", "x".repeat(65_536 - answer.toString().length - 10));
  bob.send(answer);
  await alice.expect((one) => one.status === 180, "180");
  await alice.expectNothing((one) => one.status >= 300, 300);
  reply(bob, received, 200);
  assert.equal((await alice.final("INVITE")).status, 200);
});

test("a burst of long messages on many connections does not cost others the connection between the nodes", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000" });
  const bob = await SipUe.open(t, core, { user: "6505550001" });
  for (const ue of [alice, bob]) {
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
  }
  alice.send(inviteOf(alice, BOB));
  const received = await bob.incoming("INVITE");
  reply(bob, received, 180);
  await alice.expect((one) => one.status === 180, "180");
  const crowd = await Promise.all(
    Array.from({ length: 40 }, () => rawTcpClient(t, { host: core.host, port: 5060 })),
  );
  const long = register(core.host, "TCP", 60_000);
  for (let round = 0; round < 10; round++)
    for (const [index, one] of crowd.entries())
      one.send(long.replaceAll("60000TCP", `${10_000 + round * 100 + index}TCP`));
  await Promise.all(
    crowd.map((one, index) =>
      one.expect("the last answer", (text) => text.includes(`size${10_900 + index}`)),
    ),
  );
  for (const one of crowd) for (const text of one.received) assert.match(text, /^SIP\/2\.0 (?:401|503)/);
  await alice.expectNothing((one) => one.status >= 300 && one.cseqMethod === "INVITE", 100);
  reply(bob, received, 200);
  assert.equal((await alice.final("INVITE")).status, 200);
});
