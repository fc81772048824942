import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CapabilitiesExchangeRequest } from "../src/base/commands.ts";
import { encodeMessage } from "../src/codec/encode.ts";
import { Mar } from "../src/cx/application.ts";
import { mar } from "../testing/cx-messages.ts";
import { connectedClient, rawCapabilities, rawClient, until } from "../testing/raw-peer.ts";
import { startNode } from "../testing/start-node.ts";

const cer = encodeMessage(
  CapabilitiesExchangeRequest,
  { hopByHop: 1, endToEnd: 1 },
  rawCapabilities("fuzz.example.com") as never,
);
const request = encodeMessage(Mar.request, { hopByHop: 2, endToEnd: 2 }, mar());

/** Bytes of a message with some of them changed, the length put right again or not. */
const mutated = fc
  .tuple(
    fc.constantFrom(cer, request),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
    fc.boolean(),
  )
  .map(([message, changes, rightLength]) => {
    const bytes = Buffer.from(message);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    if (rightLength) bytes.writeUIntBE(bytes.length, 1, 3);
    return bytes;
  });

test("nonsense on any connection, before and after CER, costs that connection at most", {
  timeout: 60_000,
}, async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, () => ({ resultCode: 2001 }));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const good = await connectedClient(t, port, "good.example.com");
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  t.after(() => clearInterval(watch));
  const samples = fc.sample(
    fc.tuple(fc.boolean(), fc.array(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), { maxLength: 5 })),
    200,
  );
  for (const [introduced, messages] of samples) {
    const client = await rawClient(t, port);
    if (introduced) client.socket.write(cer);
    for (const message of messages) client.socket.write(message);
    client.socket.end();
    await until(() => client.closed, "close");
  }
  good.send(Mar.request, mar());
  assert.equal((await good.expect("MAA")).avps["resultCode"], 2001);
  assert.equal(hss.connectedPeers.length, 1);
  // Both ends are in this process, and the machine is shared; a loop in the reader would be seconds.
  assert.ok(longest < 500, `the loop stood still for ${longest} ms`);
});

test("a message that never ends holds one buffer of the longest message, no more", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const client = await connectedClient(t, port);
  const head = Buffer.from(request);
  head.writeUIntBE(65_536, 1, 3);
  client.socket.write(head);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 60_000; i += 1_000) {
    client.socket.write(Buffer.alloc(1_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 8_000_000);
  assert.equal(hss.isConnected("raw.example.com"), true);
});
