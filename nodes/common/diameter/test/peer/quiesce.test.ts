import assert from "node:assert/strict";
import { test } from "node:test";
import { Mar } from "../../src/cx/application.ts";
import { mar } from "../../testing/cx-messages.ts";
import { startNode } from "../../testing/start-node.ts";

const { sessionId: _s, originHost: _h, originRealm: _r, destinationRealm: _d, ...marAvps } = mar();
const REALM = { destinationRealm: "example.com", timeoutMs: 5_000 } as const;
const timing = { timing: { disconnectTimeoutMs: 2_000 } } as const;

test("RFC 6733 §5.4: a node that quiesces says DPR first and answers what it has in work before it disconnects", async (t) => {
  const hss = startNode(t, "hss.example.com", timing);
  const held: (() => void)[] = [];
  hss.handle(Mar, () => new Promise((resolve) => held.push(() => resolve({ resultCode: 5012 }))));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const sprout = startNode(t, "sprout.example.com", timing);
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await sprout.whenConnected(2_000), true);

  const asked = [1, 2, 3].map(() => sprout.request(Mar, marAvps, REALM));
  while (held.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  let quiet = false;
  const quiesced = hss.quiesce(new AbortController().signal).then(() => {
    quiet = true;
  });
  while (sprout.isConnected()) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await sprout.request(Mar, marAvps, REALM)).kind, "unavailable", "nothing new is sent there");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(quiet, false, "there is work left");
  for (const answer of held) answer();
  assert.deepEqual(
    (await Promise.all(asked)).map(({ kind }) => kind),
    ["answer", "answer", "answer"],
  );
  await quiesced;
  assert.equal(hss.openPeers, 0);
});

test("a node that quiesces waits for work no longer than it is told to, and stop ends what is left", async (t) => {
  const hss = startNode(t, "hss.example.com", timing);
  let asked = 0;
  hss.handle(Mar, () => {
    asked++;
    return new Promise(() => undefined);
  });
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const sprout = startNode(t, "sprout.example.com", timing);
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await sprout.whenConnected(2_000), true);
  const lost = sprout.request(Mar, marAvps, REALM);
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const deadline = new AbortController();
  const quiesced = hss.quiesce(deadline.signal);
  setTimeout(() => deadline.abort(), 100);
  await quiesced;
  await hss.stop();
  assert.equal(hss.openPeers, 0);
  assert.deepEqual(await lost, { kind: "unavailable", cause: "disconnected" });
});
