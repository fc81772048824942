import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import {
  CapabilitiesExchangeAnswer,
  DeviceWatchdogRequest,
  DisconnectPeerAnswer,
  DisconnectPeerRequest,
} from "../../src/base/commands.ts";
import { Mar } from "../../src/cx/application.ts";
import { mar } from "../../testing/cx-messages.ts";
import { connectedClient, neighbour, rawCapabilities, rawServer, until } from "../../testing/raw-peer.ts";
import { selfSigned } from "../../testing/self-signed.ts";
import { startNode } from "../../testing/start-node.ts";

const { sessionId: _s, originHost: _h, originRealm: _r, destinationRealm: _d, ...marAvps } = mar();
const REALM = { destinationRealm: "example.com" } as const;
const raw = { originHost: "raw.example.com", originRealm: "example.com" };

test("RFC 6733 §5.5: DWR is answered with DWA", async (t) => {
  const client = await connectedClient(
    t,
    await startNode(t, "hss.example.com").listen({ host: "127.0.0.1", port: 0 }),
  );
  client.send(DeviceWatchdogRequest, raw, { hopByHop: 3, endToEnd: 4 });
  const { header, avps } = await client.expect("DWA");
  assert.deepEqual(header, { flags: 0, code: 280, applicationId: 0, hopByHop: 3, endToEnd: 4 });
  assert.deepEqual(avps, { resultCode: 2001, originHost: "hss.example.com", originRealm: "example.com" });
});

test("RFC 6733 §5.4: DPR is answered with DPA, the peer closes, no request goes there any more", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  assert.equal(hss.isConnected("raw.example.com"), true);
  client.send(DisconnectPeerRequest, { ...raw, disconnectCause: 0 });
  const { avps } = await client.expect("DPA");
  assert.equal(avps["resultCode"], 2001);
  assert.equal(hss.isConnected("raw.example.com"), false);
  assert.deepEqual(await hss.request(Mar, marAvps, REALM), { kind: "unavailable", cause: "noPeer" });
  assert.equal(client.closed, false);
  client.socket.end();
  await until(() => client.closed, "close");
});

test("RFC 6733 §5.4.3: after DPR with REBOOTING we come back at once, after DO_NOT_WANT_TO_TALK_TO_YOU after Tc", async (t) => {
  const clock = fakeClock();
  const server = await rawServer(t, neighbour("hss.example.com"));
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  for (const [cause, wait] of [
    [0, 100],
    [2, 30_000],
  ] as const) {
    await until(() => node.isConnected(), "connection");
    const peer = server.peers.at(-1) ?? assert.fail();
    const count = server.peers.length;
    peer.send(DisconnectPeerRequest, {
      originHost: "hss.example.com",
      originRealm: "example.com",
      disconnectCause: cause,
    });
    await peer.expect("DPA");
    peer.socket.destroy();
    // Until the node has seen the end, its only timer is the one for the end.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(wait - 1);
    assert.equal(server.peers.length, count);
    clock.advance(1);
    await until(() => server.peers.length === count + 1, `reconnection after cause ${cause}`);
  }
});

test("RFC 6733 §5.4: stop says DPR REBOOTING and closes after DPA", async (t) => {
  const server = await rawServer(
    t,
    neighbour("hss.example.com", (peer, message) => {
      peer.answer(message, DisconnectPeerAnswer, {
        resultCode: 2001,
        originHost: "hss.example.com",
        originRealm: "example.com",
      });
    }),
  );
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  await until(() => node.isConnected(), "connection");
  await node.stop();
  const dpr = await server.peers[0]?.expect("DPR");
  assert.deepEqual(dpr?.avps, {
    originHost: "sprout.example.com",
    originRealm: "example.com",
    disconnectCause: 0,
  });
  await until(() => server.peers[0]?.closed === true, "close");
});

test("stop does not wait for a peer that does not answer DPR", async (t) => {
  const clock = fakeClock();
  const server = await rawServer(t, neighbour("hss.example.com"));
  const node = startNode(t, "sprout.example.com", { clock });
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  await until(() => node.isConnected(), "connection");
  const stopped = node.stop();
  clock.advance(1_000);
  await stopped;
});

test("a peer that restarts is used again within a second", async (t) => {
  const first = await rawServer(t, neighbour("hss.example.com"));
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port: first.port });
  node.start();
  await until(() => node.isConnected(), "connection");
  await first.close();
  await until(() => !node.isConnected(), "loss");
  await rawServer(t, neighbour("hss.example.com"), first.port);
  const before = performance.now();
  await until(() => node.isConnected(), "reconnection");
  assert.ok(performance.now() - before < 1_000);
});

test("RFC 6733 §2.1: tries to connect get rarer up to Tc", async (t) => {
  const clock = fakeClock();
  const server = await rawServer(t, (peer) => peer.socket.destroy());
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  const waits = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
  for (const [index, wait] of waits.entries()) {
    await until(() => server.peers.length === index + 1 && clock.pending() === 1, `try ${index}`);
    await until(() => server.peers[index]?.closed === true, "close");
    // The reconnect timer, not the one of the try that has just failed.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(wait - 1);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.peers.length, index + 1, `${wait} ms`);
    clock.advance(1);
  }
});

test("after a long outage a request makes us look for the peer, once a second at most", async (t) => {
  const clock = fakeClock();
  const down = await rawServer(t, (peer) => peer.socket.destroy());
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  node.addPeer({ host: "127.0.0.1", port: down.port });
  node.start();
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const waits = [100, 200, 400, 800, 1_600, 3_200];
  for (const wait of waits) {
    await turns();
    clock.advance(wait);
  }
  await turns();
  const tries = down.peers.length;
  clock.advance(999);
  await node.request(Mar, marAvps, REALM);
  await turns();
  assert.equal(down.peers.length, tries);
  clock.advance(1);
  assert.deepEqual(await node.request(Mar, marAvps, REALM), { kind: "unavailable", cause: "noPeer" });
  await node.request(Mar, marAvps, REALM);
  await turns();
  assert.equal(down.peers.length, tries + 1);
});

test("a peer whose connection broke without our seeing it is taken back as soon as the old one is found dead", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  // Cut off, it has given the connection up; nothing of that came here. It answers nothing any more.
  const lost = await connectedClient(t, port);
  const again = await connectedClient(t, port);
  assert.equal((await again.expect("CEA")).avps["resultCode"], 4003);
  assert.equal((await lost.expect("DWR")).name, "DWR");
  await until(() => lost.closed, "end of the dead connection");
  const back = await connectedClient(t, port);
  assert.equal((await back.expect("CEA")).avps["resultCode"], 2001);
  assert.equal(hss.isConnected("raw.example.com"), true);
});

test("who is told that another connection of his is open tries again soon, once; then as rarely as others", async (t) => {
  const clock = fakeClock();
  let refusals = 0;
  const server = await rawServer(t, (peer) => {
    peer.onMessage = (message) => {
      refusals++;
      peer.answer(message, CapabilitiesExchangeAnswer, {
        ...rawCapabilities("hss.example.com"),
        resultCode: 4003,
      });
    };
  });
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  node.addPeer({ host: "127.0.0.1", port: server.port });
  node.start();
  for (const [index, wait] of [100, 200, 400, 800].entries()) {
    await until(() => refusals === index + 1 && server.peers[index]?.closed === true, `try ${index}`);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(wait - 1);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.peers.length, index + 1, `${wait} ms`);
    clock.advance(1);
  }
});

test("RFC 6733 §13.1: two nodes over TLS, each with a certificate", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const sprout = startNode(t, "sprout.example.com");
  const { key, cert } = selfSigned();
  hss.handle(Mar, ({ avps }) => ({ resultCode: 2001, userName: avps.userName }));
  const tls = { key, cert, ca: [cert], requestCert: true, rejectUnauthorized: true };
  const port = await hss.listen({ host: "127.0.0.1", port: 0, tls });
  sprout.addPeer({ host: "127.0.0.1", port, tls: { key, cert, ca: [cert] } });
  sprout.start();
  assert.equal(await sprout.whenConnected(5_000), true);
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => sprout.request(Mar, marAvps, REALM)));
  assert.ok(outcomes.every(({ kind }) => kind === "answer"));
});

test("RFC 6733 §13.1: a certificate that is not trusted does not connect, neither way", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const good = selfSigned();
  const other = selfSigned();
  const tls = { ...good, ca: [good.cert], requestCert: true, rejectUnauthorized: true };
  const port = await hss.listen({ host: "127.0.0.1", port: 0, tls });
  const clients = [
    startNode(t, "a.example.com"),
    startNode(t, "b.example.com"),
    startNode(t, "c.example.com"),
  ] as const;
  // Does not trust the server; is not trusted by it; speaks no TLS at all.
  clients[0].addPeer({ host: "127.0.0.1", port, tls: { ...good, ca: [other.cert] } });
  clients[1].addPeer({ host: "127.0.0.1", port, tls: { ...other, ca: [good.cert] } });
  clients[2].addPeer({ host: "127.0.0.1", port });
  for (const client of clients) client.start();
  assert.deepEqual(await Promise.all(clients.map((client) => client.whenConnected(400))), [
    false,
    false,
    false,
  ]);
  assert.equal(hss.isConnected(), false);
});
