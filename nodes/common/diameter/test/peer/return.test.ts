import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { Mar } from "../../src/cx/application.ts";
import type { DiameterNode } from "../../src/diameter-node.ts";
import { mar } from "../../testing/cx-messages.ts";
import { neighbour, rawServer, until } from "../../testing/raw-peer.ts";
import { startNode } from "../../testing/start-node.ts";

const REALM = { destinationRealm: "example.com" } as const;
const { sessionId: _s, originHost: _h, originRealm: _r, destinationRealm: _d, ...marAvps } = mar();

async function connected(node: DiameterNode, port: number): Promise<void> {
  node.addPeer({ host: "127.0.0.1", port });
  node.start();
  await until(() => node.isConnected(), "connection");
}

test("a request that finds every peer restarting waits for the first that is back", async (t) => {
  const before = startNode(t, "hss.example.com");
  const port = await before.listen({ host: "127.0.0.1", port: 0 });
  const node = startNode(t, "sprout.example.com");
  await connected(node, port);
  await before.stop();
  const outcome = node.request(Mar, marAvps, REALM);
  const after = startNode(t, "hss.example.com");
  after.handle(Mar, ({ avps }) => ({ resultCode: 2001, userName: avps.userName }));
  await after.listen({ host: "127.0.0.1", port });
  assert.equal((await outcome).kind, "answer");
});

test("RFC 6733 §5.5.4: a request whose peer died with it is sent again, with the T bit, when the peer is back", async (t) => {
  let took = 0;
  const server = await rawServer(
    t,
    neighbour("hss.example.com", (peer, { header, name }) => {
      if (name !== "MAR") return;
      took++;
      if (took === 1) peer.socket.destroy();
      else assert.equal(header.flags & 0x10, 0x10);
    }),
  );
  const node = startNode(t, "sprout.example.com");
  await connected(node, server.port);
  void node.request(Mar, marAvps, REALM);
  await until(() => took === 2, "the second try");
});

test("nobody back: the request ends after a second and a half, the next ones after five seconds at once", async (t) => {
  const clock = fakeClock();
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  await connected(node, port);
  await hss.stop();
  await until(() => !node.isConnected(), "loss");
  const ended: unknown[] = [];
  const ask = (): void => void node.request(Mar, marAvps, REALM).then((outcome) => ended.push(outcome));
  const pass = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms; i += 100) {
      clock.advance(100);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  ask();
  await pass(1_300);
  assert.deepEqual(ended, []);
  await pass(300);
  assert.deepEqual(ended, [{ kind: "unavailable", cause: "noPeer" }]);
  await pass(4_000);
  ask();
  await pass(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended.length, 2);
});
