import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import { type EstablishedCall, establish, inviteOf } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const BOB = "sip:6505550001@example.com";
const THIRD = "127.0.0.66";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** A host that nobody should be able to make us talk to, by UDP or TCP. */
async function thirdHost(t: TestContext): Promise<{ port: number; heard: () => number }> {
  let heard = 0;
  const tcp = createServer((socket) => {
    heard++;
    socket.on("error", () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve) => tcp.listen(0, THIRD, resolve));
  const address = tcp.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const udp = createSocket("udp4").on("message", () => heard++);
  await new Promise<void>((resolve) => udp.bind(port, THIRD, resolve));
  t.after(() => {
    tcp.close();
    udp.close();
  });
  return { port, heard: () => heard };
}

async function pair(t: TestContext): Promise<[SipUe, SipUe]> {
  const open = async (user: string): Promise<SipUe> => {
    const ue = await SipUe.open(t, core, { user });
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
    return ue;
  };
  return [await open("6505550000"), await open("6505550001")];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Spellings in which a Route of our own reads like another one. */
const disguises: readonly [string, (own: string, third: string) => string][] = [
  ["a quoted display name that looks like the URI", (own, third) => `"${own}" <sip:${third};lr>`],
  ["maddr", (own, third) => own.replace(/>$/, `;maddr=${third.replace(/:.*/, "")}>`)],
  ["an escaped maddr", (own, third) => own.replace(/>$/, `;%6daddr=${third.replace(/:.*/, "")}>`)],
  ["another host", (_own, third) => `<sip:${third};lr>`],
  ["one more value", (own, third) => `<sip:${third};lr>, ${own}`],
];

function bye(
  call: EstablishedCall,
  disguise: (own: string) => string,
): ReturnType<EstablishedCall["inDialog"]> {
  const request = call.inDialog("caller", "BYE");
  const [first = "", second = "", third = "", ...rest] = request.values("Route");
  request.remove("Route");
  for (const route of [first, second, disguise(third), ...rest]) request.append("Route", route);
  return request;
}

for (const [what, disguise] of disguises)
  test(`TS 24.229 §5.2.6.3.5: no relay inside a dialog by ${what}`, async (t) => {
    const third = await thirdHost(t);
    const [alice, bob] = await pair(t);
    const call = await establish(alice, bob, BOB);
    const request = bye(call, (own) => disguise(own, `${THIRD}:${third.port}`));
    alice.send(request);
    assert.equal((await alice.final("BYE")).status, 403);
    const ack = request.clone();
    ack.method = "ACK";
    alice.send(ack.set("CSeq", "7 ACK"));
    await pause(200);
    assert.equal(third.heard(), 0);
    await bob.expectNothing((one) => one.method === "BYE", 0);
  });

test("TS 24.229 §5.2.6.3: no relay outside a dialog, registered or not", async (t) => {
  const third = await thirdHost(t);
  const [alice] = await pair(t);
  const stranger = await SipUe.open(t, core, { user: "6505550000" });
  const place = `${THIRD}:${third.port}`;
  const uris = [
    `sip:bob@${place}`,
    `sip:${core.host}:5060;maddr=${THIRD}`,
    `sip:6505550001@example.com;maddr=${THIRD}`,
    `sip:6505550001@${core.host}:5060;lr;maddr=${THIRD}`,
    `sip:${core.host}:5054;maddr=${THIRD}`,
  ];
  const routes = [
    undefined,
    `<sip:${place};lr>`,
    `<sip:${core.host}:5060;lr>, <sip:${place};lr>`,
    `<sip:${core.host}:5060;lr;maddr=${THIRD}>`,
    `<sip:${core.host}:5058;lr>, <sip:${place};lr>`,
    `<sip:${core.host}:5052;lr>, <sip:${place};lr>`,
    `<sip:${core.host}:5054;lr;orig>, <sip:${place};lr>`,
  ];
  let sent = 0;
  for (const ue of [alice, stranger])
    for (const method of ["OPTIONS", "MESSAGE", "SUBSCRIBE", "REGISTER", "ACK"])
      for (const uri of uris)
        for (const route of routes) {
          const request = ue.request(method, uri, { callId: `relay${++sent}` });
          if (route !== undefined) request.append("Route", route);
          if (method === "SUBSCRIBE") request.append("Event", "presence").append("Contact", ue.contact);
          const via = request.header("Via") ?? "";
          // Neither does a Via lead the answers there.
          if (sent % 3 === 0)
            request.set("Via", `${via.replace(";rport", "")};received=${THIRD};maddr=${THIRD}`);
          if (sent % 3 === 1) request.set("Via", via.replace(/127[\d.]+:\d+/, place).replace(";rport", ""));
          request.append("Path", `<sip:${place};lr>`).append("Service-Route", `<sip:${place};lr>`);
          request.append("Record-Route", `<sip:${place};lr>`);
          ue.send(request);
        }
  await pause(1_500);
  assert.equal(third.heard(), 0);
  const alive = stranger.request("OPTIONS", `sip:${core.host}:5060`, { callId: "alive" });
  stranger.send(alive);
  assert.equal((await stranger.expect((one) => one.callId === "alive", "an answer")).status, 200);
});

test("RFC 3261 §18.2.1: what a UE says about where it is does not reach the callee", async (t) => {
  const [alice, bob] = await pair(t);
  const invite = inviteOf(alice, BOB);
  const via = invite.header("Via") ?? "";
  invite.set("Via", `${via.replace(";rport", "")};received=${THIRD}`);
  alice.send(invite);
  const received = await bob.incoming("INVITE");
  assert.equal(
    received.values("Via").some((one) => one.includes(THIRD)),
    false,
  );
});
