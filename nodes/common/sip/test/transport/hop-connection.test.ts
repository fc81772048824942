import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { message, station, until } from "./support.ts";

const tcp = { side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 } as const;

test("RFC 5626 §4.4.1: a dialled connection asks with a double CRLF, hears a single one, and takes none for a ping", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen(tcp);
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.flow.ping, undefined, "only who dialled asks");
  for (let round = 1; round <= 4; round += 1) {
    const before = flow.lastReceived ?? 0;
    assert.equal(flow.ping?.(), true);
    await until("pong", () => (flow.lastReceived ?? 0) > before);
    assert.equal(server.keepAlives.length, round);
    assert.equal(flow.pongs, round);
  }
  assert.equal(client.keepAlives.length, 0);
  // What the far end sends after its answers is read as ever.
  server.messages[0]?.flow.send(message(2));
  await until("message back", () => client.messages.length === 1);
});

test("a connection that has served its time takes no new messages and closes when it has been silent", async (t) => {
  const clock = fakeClock();
  const server = station(t);
  const client = station(t, { clock, limits: { maxAgeMs: 1_000, retiredIdleMs: 500 } });
  const { port } = await server.layer.listen(tcp);
  const target = { protocol: "TCP", address: "127.0.0.1", port } as const;
  const old = client.layer.flowTo(target, "core");
  old.send(message(1));
  await until("message", () => server.messages.length === 1);
  clock.advance(1_200);
  const next = client.layer.flowTo(target, "core");
  assert.notEqual(next, old);
  assert.equal(old.open, true, "answers still come over it");
  clock.advance(500);
  assert.equal(old.open, false);
  next.send(message(2));
  await until("message on the next", () => server.messages.length === 2);
  next.close();
});

test("a peer that does not read is seen by what waits for it, and cut at the limit", async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.pause();
    socket.on("error", () => {});
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const client = station(t, { limits: { maxQueuedBytes: 4_000_000 } });
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port: address.port }, "core");
  const big = message(1, "x".repeat(60_000));
  let seen = 0;
  await until("cut", () => {
    for (let i = 0; i < 10 && flow.send(big); i += 1);
    seen = Math.max(seen, flow.queuedBytes ?? 0);
    return !flow.open;
  });
  assert.ok(seen > 1_000_000 && seen < 5_000_000, String(seen));
});

test("what a connection that is reset has not delivered never arrives, although the kernel had taken it", async (t) => {
  const accepted: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    accepted.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const client = station(t, { limits: { maxQueuedBytes: 64_000_000 } });
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port: address.port }, "core");
  const big = message(1, "x".repeat(60_000));
  let sent = 0;
  // Until both kernels are full.
  await until("queue", () => {
    for (let i = 0; i < 10; i += 1) {
      assert.equal(flow.send(big), true);
      sent += big.length;
    }
    return (flow.queuedBytes ?? 0) > 8_000_000;
  });
  const taken = sent - (flow.queuedBytes ?? 0);
  flow.reset?.();
  assert.equal(flow.open, false);
  let read = 0;
  let ended = false;
  const [socket] = accepted;
  assert.ok(socket !== undefined);
  socket.on("data", (chunk) => {
    read += chunk.length;
  });
  socket.on("close", () => {
    ended = true;
  });
  socket.resume();
  await until("end", () => ended);
  assert.ok(read < taken, `${read} of ${taken} octets`);
});
