import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import {
  CapabilitiesExchangeAnswer,
  CapabilitiesExchangeRequest,
  DeviceWatchdogRequest,
} from "../../src/base/commands.ts";
import {
  connectedClient,
  neighbour,
  rawCapabilities,
  rawClient,
  rawServer,
  until,
} from "../../testing/raw-peer.ts";
import { startNode } from "../../testing/start-node.ts";

test("RFC 6733 §5.3: CER says who we are and which applications we have", async (t) => {
  const server = await rawServer(t, neighbour("hss.example.com"));
  const node = startNode(t, "sprout.example.com", {
    hostAddresses: ["192.0.2.7", "2001:db8::7"],
    vendorId: 7,
  });
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  await until(() => node.isConnected("HSS.example.com"), "connection");
  const { avps, header } = server.peers[0]?.seen[0] ?? assert.fail("no CER");
  assert.equal(header.flags, 0x80);
  const { originStateId, ...rest } = avps;
  assert.equal(typeof originStateId, "number");
  assert.deepEqual(rest, {
    originHost: "sprout.example.com",
    originRealm: "example.com",
    hostIpAddress: ["192.0.2.7", "2001:db8::7"],
    vendorId: 7,
    productName: "tidewater",
    supportedVendorId: [10415],
    vendorSpecificApplicationId: [{ vendorId: 10415, authApplicationId: 16_777_216 }],
  });
});

test("RFC 6733 §5.3: CER without a common application is answered 5010 and the connection closed", async (t) => {
  const port = await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  const avps = rawCapabilities("gx.example.com", {
    vendorSpecificApplicationId: undefined,
    authApplicationId: [4],
  });
  client.send(CapabilitiesExchangeRequest, avps, { hopByHop: 77, endToEnd: 88 });
  const cea = await client.expect("CEA");
  assert.equal(cea.avps["resultCode"], 5010);
  assert.equal(cea.avps["originHost"], "hss.example.com");
  assert.deepEqual([cea.header.hopByHop, cea.header.endToEnd], [77, 88]);
  await until(() => client.closed, "close");
});

test("RFC 6733 §2.4: a relay has every application in common", async (t) => {
  const node = startNode(t, "hss.example.com");
  const port = await node.listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  const relay = { vendorSpecificApplicationId: undefined, authApplicationId: [0xffffffff] };
  client.send(CapabilitiesExchangeRequest, rawCapabilities("dra.example.com", relay));
  assert.equal((await client.expect("CEA")).avps["resultCode"], 2001);
  assert.ok(node.isConnected("dra.example.com"));
});

test("RFC 6733 §5.3: CER without Host-IP-Address is answered 5005 with Failed-AVP", async (t) => {
  const port = await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  client.send(CapabilitiesExchangeRequest, rawCapabilities("raw.example.com", { hostIpAddress: undefined }));
  const { avps } = await client.expect("CEA");
  assert.equal(avps["resultCode"], 5005);
  assert.equal(Buffer.from(avps["failedAvp"] as Uint8Array).readUInt32BE(0), 257);
  await until(() => client.closed, "close");
});

test("RFC 6733 §5.3: a peer that is not admitted is answered 3010 with the E bit", async (t) => {
  const node = startNode(t, "hss.example.com", {
    admits: ({ originHost }) => originHost.startsWith("sprout"),
  });
  const port = await node.listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  client.send(CapabilitiesExchangeRequest, rawCapabilities("mallory.example.com"));
  const cea = await client.expect("CEA");
  assert.equal(cea.avps["resultCode"], 3010);
  assert.equal(cea.header.flags, 0x20);
  await connectedClient(t, port, "sprout-1.example.com");
});

test("a peer that claims our own name is not admitted", async (t) => {
  const port = await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  client.send(CapabilitiesExchangeRequest, rawCapabilities("HSS.example.com"));
  assert.equal((await client.expect("CEA")).avps["resultCode"], 3010);
});

test("RFC 6733 §5.6.1: anything but a CER first closes the connection without an answer", async (t) => {
  const port = await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  client.send(DeviceWatchdogRequest, { originHost: "raw.example.com", originRealm: "example.com" });
  await until(() => client.closed, "close");
  assert.deepEqual(client.seen, []);
});

test("a connection that says nothing is closed after the capabilities timeout", async (t) => {
  const clock = fakeClock();
  const port = await startNode(t, "hss.example.com", { clock }).listen({ host: "127.0.0.1", port: 0 });
  const client = await rawClient(t, port);
  await until(() => clock.pending() === 1, "timer");
  clock.advance(5_000);
  await until(() => client.closed, "close");
});

for (const [what, avps, command] of [
  ["CEA 5010", { resultCode: 5010 }, CapabilitiesExchangeAnswer],
  [
    "CEA without a common application",
    { resultCode: 2001, vendorSpecificApplicationId: undefined },
    CapabilitiesExchangeAnswer,
  ],
  [
    "CEA from another host than the configured one",
    { resultCode: 2001, originHost: "other.example.com" },
    CapabilitiesExchangeAnswer,
  ],
  [
    "CEA with our own name",
    { resultCode: 2001, originHost: "sprout.example.com" },
    CapabilitiesExchangeAnswer,
  ],
  ["CEA without Result-Code", {}, CapabilitiesExchangeAnswer],
  ["a DWR instead of CEA", {}, DeviceWatchdogRequest],
] as const) {
  test(`RFC 6733 §5.6: ${what} does not open the peer, and it is tried again later`, async (t) => {
    const clock = fakeClock();
    const server = await rawServer(t, (peer) => {
      peer.onMessage = (message) =>
        peer.answer(message, command, { ...rawCapabilities("hss.example.com"), ...avps });
    });
    const node = startNode(t, "sprout.example.com", { clock });
    node.addPeer({ host: "127.0.0.1", port: server.port, originHost: "hss.example.com" });
    node.start();
    await until(() => server.peers[0]?.closed === true, "close");
    assert.equal(node.isConnected(), false);
    const again = (): boolean => {
      clock.advance(20);
      return server.peers.length >= 2;
    };
    await until(again, "second try");
  });
}

test("RFC 6733 §5.6.4: both connect at once, one connection remains, and requests work both ways", async (t) => {
  const a = startNode(t, "a.example.com");
  const b = startNode(t, "b.example.com");
  const aPort = await a.listen({ host: "127.0.0.1", port: 0 });
  const bPort = await b.listen({ host: "127.0.0.1", port: 0 });
  a.addPeer({ host: "127.0.0.1", port: bPort, originHost: "b.example.com" });
  b.addPeer({ host: "127.0.0.1", port: aPort, originHost: "a.example.com" });
  a.start();
  b.start();
  await until(() => a.isConnected("b.example.com") && b.isConnected("a.example.com"), "connection");
  assert.equal(a.connectedPeers.length, 1);
  assert.equal(b.connectedPeers.length, 1);
});

test("RFC 6733 §5.6.4: the same without names in the configuration", async (t) => {
  const a = startNode(t, "a.example.com");
  const b = startNode(t, "b.example.com");
  a.addPeer({ host: "127.0.0.1", port: await b.listen({ host: "127.0.0.1", port: 0 }) });
  b.addPeer({ host: "127.0.0.1", port: await a.listen({ host: "127.0.0.1", port: 0 }) });
  a.start();
  b.start();
  const settled = (): boolean =>
    a.isConnected("b.example.com") &&
    b.isConnected("a.example.com") &&
    a.connectedPeers.length === 1 &&
    b.connectedPeers.length === 1;
  await until(settled, "one connection");
});

test("RFC 6733 §5.6: a second connection of an open peer is refused", async (t) => {
  const port = await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 });
  const first = await connectedClient(t, port);
  const second = await rawClient(t, port);
  second.send(CapabilitiesExchangeRequest, rawCapabilities("raw.example.com"));
  assert.equal((await second.expect("CEA")).avps["resultCode"], 4003);
  await until(() => second.closed, "close");
  assert.equal(first.closed, false);
});
