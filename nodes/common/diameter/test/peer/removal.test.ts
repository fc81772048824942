import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DisconnectPeerAnswer } from "../../src/base/commands.ts";
import { Mar } from "../../src/cx/application.ts";
import type { DiameterNode } from "../../src/diameter-node.ts";
import { mar } from "../../testing/cx-messages.ts";
import { neighbour, rawServer, until } from "../../testing/raw-peer.ts";
import { startNode } from "../../testing/start-node.ts";

const { sessionId: _s, originHost: _h, originRealm: _r, destinationRealm: _d, ...marAvps } = mar();
const REALM = { destinationRealm: "example.com" } as const;

async function hssNode(
  t: TestContext,
  name: string,
): Promise<{ host: string; port: number; asked: () => number }> {
  const node = startNode(t, name);
  let asked = 0;
  node.handle(Mar, () => {
    asked++;
    return { resultCode: 5003 };
  });
  return { host: "127.0.0.1", port: await node.listen({ host: "127.0.0.1", port: 0 }), asked: () => asked };
}

async function ask(node: DiameterNode, times: number): Promise<void> {
  for (let time = 0; time < times; time++)
    assert.equal((await node.request(Mar, marAvps, REALM)).kind, "answer");
}

test("peers of a pool come and go at run time: one that is added shares the load, one that is removed gets nothing more", async (t) => {
  const [first, second] = [await hssNode(t, "hss-1.example.com"), await hssNode(t, "hss-2.example.com")];
  const sprout = startNode(t, "sprout.example.com");
  sprout.addPeer(first);
  sprout.start();
  assert.equal(await sprout.whenConnected(2000), true);
  sprout.addPeer(second);
  assert.equal(await sprout.whenConnected(2000, "hss-2.example.com"), true);
  await ask(sprout, 6);
  assert.deepEqual([first.asked(), second.asked()], [3, 3]);

  assert.equal(sprout.removePeer(first), true);
  assert.equal(sprout.removePeer(first), false);
  assert.equal(sprout.isConnected("hss-1.example.com"), false);
  await ask(sprout, 4);
  assert.deepEqual([first.asked(), second.asked()], [3, 7]);
  assert.deepEqual(
    sprout.connectedPeers.map(({ originHost }) => originHost),
    ["hss-2.example.com"],
  );

  sprout.addPeer(first);
  assert.equal(await sprout.whenConnected(2000, "hss-1.example.com"), true);
  await ask(sprout, 2);
  assert.deepEqual([first.asked(), second.asked()], [4, 8]);
});

test("RFC 6733 §5.4: a peer that is removed is told so with DPR and not connected to again; what it had goes to another", async (t) => {
  let disconnectCause: unknown;
  const mute = await rawServer(
    t,
    neighbour("hss-1.example.com", (peer, message) => {
      if (message.name !== "DPR") return;
      disconnectCause = message.avps["disconnectCause"];
      peer.answer(message, DisconnectPeerAnswer, {
        resultCode: 2001,
        originHost: "hss-1.example.com",
        originRealm: "example.com",
      });
    }),
  );
  const sprout = startNode(t, "sprout.example.com", {
    timing: { firstReconnectMs: 1, disconnectTimeoutMs: 200 },
  });
  const place = { host: "127.0.0.1", port: mute.port };
  sprout.addPeer(place);
  sprout.start();
  assert.equal(await sprout.whenConnected(2000, "hss-1.example.com"), true);
  const outcome = sprout.request(Mar, marAvps, REALM);
  const other = await hssNode(t, "hss-2.example.com");
  sprout.addPeer(other);
  assert.equal(await sprout.whenConnected(2000, "hss-2.example.com"), true);
  sprout.removePeer(place);
  assert.equal((await outcome).kind, "answer");
  assert.equal(other.asked(), 1);
  await until(() => disconnectCause !== undefined, "DPR");
  assert.equal(disconnectCause, 2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(mute.peers.length, 1);
});

test("a peer that was never reached is removed too", async (t) => {
  const sprout = startNode(t, "sprout.example.com");
  sprout.addPeer({ host: "127.0.0.1", port: 1 });
  sprout.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sprout.removePeer({ host: "127.0.0.1", port: 1 }), true);
  assert.equal(sprout.removePeer({ host: "127.0.0.1", port: 2 }), false);
});
