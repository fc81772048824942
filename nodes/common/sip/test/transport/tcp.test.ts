import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { message, rawPeer, station, until } from "./support.ts";

const tcp = { side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 } as const;

test("RFC 3261 §18: a message goes over TCP and its answer comes back on the same connection", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen(tcp);
  server.answer = (text, flow) => flow.send(`${text}!`.replace("Content-Length: 0", "Content-Length: 1"));
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core");
  assert.equal(flow.open, true);
  for (let i = 0; i < 50; i += 1) assert.equal(flow.send(message(i)), true);
  await until("answers", () => client.messages.length === 50);
  assert.deepEqual(
    server.messages.map(({ text }) => text),
    Array.from({ length: 50 }, (_, i) => message(i)),
  );
  assert.deepEqual(
    client.messages.map(({ text }) => text),
    Array.from({ length: 50 }, (_, i) => message(i, "!")),
  );
  assert.ok(client.messages.every((m) => m.flow === flow));
  const accepted = server.messages[0]?.flow;
  assert.equal(accepted?.remotePort, flow.localPort);
  assert.equal(accepted?.remoteAddress, "127.0.0.1");
  assert.equal(accepted?.localPort, port);
  assert.equal(accepted?.reliable, true);
  assert.equal(server.layer.flow(accepted?.id ?? 0), accepted);
});

test("RFC 3261 §18.1.1: a connection is used again for the same zone and far end, and for no other", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen(tcp);
  const target = { protocol: "TCP", address: "127.0.0.1", port } as const;
  const flow = client.layer.flowTo(target, "core");
  assert.equal(client.layer.flowTo(target, "core"), flow);
  assert.notEqual(client.layer.flowTo(target, "access"), flow);
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  const accepted = server.messages[0]?.flow;
  assert.ok(accepted);
  const back = { protocol: "TCP", address: "127.0.0.1", port: accepted.remotePort } as const;
  assert.equal(server.layer.flowTo(back, "core"), accepted);
});

test("latin1 in and out: every byte value arrives as it was sent", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen(tcp);
  const body = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core").send(message(1, body));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.text, message(1, body));
});

test("a refused connection closes the flow and says so", async (t) => {
  const client = station(t);
  const probe = createServer();
  const port = await new Promise<number>((resolve) => {
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const free = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(free));
    });
  });
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core");
  assert.equal(flow.send(message(1)), true);
  let closed = 0;
  flow.onClose(() => {
    closed += 1;
  });
  await until("closed", () => closed === 1);
  assert.equal(flow.open, false);
  assert.equal(flow.send(message(2)), false);
  assert.equal(client.layer.flow(flow.id), undefined);
  flow.onClose(() => {
    closed += 1;
  });
  await until("late listener", () => closed === 2);
});

test("RFC 5626 §4.4.1: a double CRLF is answered with one CRLF", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(tcp);
  const peer = await rawPeer(t, port);
  peer.socket.write("\r\n\r\n");
  await until("pong", () => peer.text === "\r\n");
  assert.equal(server.keepAlives.length, 1);
  peer.socket.write(`\r\n${message(1)}`);
  await until("message", () => server.messages.length === 1);
  assert.equal(peer.text, "\r\n");
});

test("RFC 3261 §18.3: a stream without Content-Length is answered by the handler, then closed", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(tcp);
  server.onGarbage = (flow) => flow.send("SIP/2.0 400 Bad Request\r\n\r\n");
  const peer = await rawPeer(t, port);
  const head = "OPTIONS sip:a@example.com SIP/2.0\r\nCall-ID: 1\r\n\r\n";
  peer.socket.write(head);
  await until("closed", () => peer.closed);
  assert.equal(peer.text, "SIP/2.0 400 Bad Request\r\n\r\n");
  assert.deepEqual(
    server.garbage.map(({ reason, text }) => ({ reason, text })),
    [{ reason: "noContentLength", text: head }],
  );
});

test("a slow sender: a message that is not whole after 30 s closes the connection", async (t) => {
  const clock = fakeClock();
  const server = station(t, { clock });
  const { port } = await server.layer.listen(tcp);
  const peer = await rawPeer(t, port);
  peer.socket.write(message(1) + message(2).slice(0, 20));
  await until("first", () => server.messages.length === 1);
  clock.advance(29_000);
  peer.socket.write(message(2).slice(20) + message(3).slice(0, 10));
  await until("second", () => server.messages.length === 2);
  clock.advance(29_000);
  assert.equal(server.garbage.length, 0);
  clock.advance(1_100);
  assert.deepEqual(
    server.garbage.map(({ reason, text }) => ({ reason, text })),
    [{ reason: "incomplete", text: message(3).slice(0, 10) }],
  );
  await until("closed", () => peer.closed);
});

test("an idle connection is closed, a busy one is not", async (t) => {
  const clock = fakeClock();
  const server = station(t, { clock, limits: { idleMs: 60_000 } });
  const { port } = await server.layer.listen(tcp);
  const idle = await rawPeer(t, port);
  const busy = await rawPeer(t, port);
  busy.socket.write(message(1));
  await until("one", () => server.messages.length === 1);
  clock.advance(40_000);
  busy.socket.write(message(2));
  await until("two", () => server.messages.length === 2);
  clock.advance(30_000);
  await until("closed", () => idle.closed);
  assert.equal(busy.closed, false);
});

test("connections per source are limited, and a closed one makes room", async (t) => {
  const server = station(t, { limits: { maxConnectionsPerSource: 2 } });
  const { port } = await server.layer.listen(tcp);
  const first = await rawPeer(t, port);
  const second = await rawPeer(t, port);
  const third = await rawPeer(t, port);
  await until("refused", () => third.closed);
  second.socket.write(message(2));
  await until("second works", () => server.messages.length === 1);
  first.socket.destroy();
  await until("room again", () => {
    void rawPeer(t, port).then((peer) => peer.socket.write(message(4)));
    return server.messages.length > 1;
  });
});

test("a peer that never reads is cut off when its queue is full", async (t) => {
  const server = station(t, { limits: { maxQueuedBytes: 100_000 } });
  const { port } = await server.layer.listen(tcp);
  const peer = await rawPeer(t, port);
  peer.socket.pause();
  peer.socket.write(message(1));
  await until("message", () => server.messages.length === 1);
  const flow = server.messages[0]?.flow;
  assert.ok(flow);
  const filler = message(1, "x".repeat(50_000));
  let sent = 0;
  await until("cut", () => {
    if (flow.send(filler)) sent += 1;
    return !flow.open;
  });
  assert.ok(sent < 1_000, `${sent} messages were taken`);
  assert.equal(flow.send(filler), false);
});

test("a dial that gets no answer fails after the connect time limit", async (t) => {
  const clock = fakeClock();
  const client = station(t, { clock });
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", 1, resolve));
  t.after(() => silent.close());
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // TLS to a server that never says a word.
  const flow = client.layer.flowTo({ protocol: "TLS", address: "127.0.0.1", port }, "core");
  let closed = false;
  flow.onClose(() => {
    closed = true;
  });
  silent.on("connection", (socket) => {
    t.after(() => socket.destroy());
    clock.advance(1_900);
    assert.equal(flow.open, true);
    clock.advance(200);
  });
  await until("closed", () => closed);
});

test("stop ends after what was queued has left, and nothing can be opened any more", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen(tcp);
  const flow = client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core");
  flow.send(message(0));
  await until("connected", () => server.messages.length === 1);
  for (let i = 1; i < 100; i += 1) flow.send(message(i, "x".repeat(2_000)));
  await client.layer.stop();
  await until("all arrived", () => server.messages.length === 100);
  assert.equal(client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core").open, false);
});

test("IPv6: TCP on [::1]", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen({ ...tcp, host: "::1" });
  client.layer.flowTo({ protocol: "TCP", address: "::1", port }, "core").send(message(6));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.flow.remoteAddress, "::1");
});

test("a dual-stack listener shows IPv4 peers as IPv4", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen({ ...tcp, host: "::" });
  client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core").send(message(6));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.flow.remoteAddress, "127.0.0.1");
});

test("the local address of a flow is known before the connection is: a Via is written at once", async (t) => {
  const server = station(t);
  const client = station(t);
  const { port } = await server.layer.listen({ ...tcp, host: "localhost" });
  await client.layer.listen({ ...tcp, host: "127.0.0.2" });
  await client.layer.listen({ ...tcp, side: "wide", host: "0.0.0.0" });
  const target = { protocol: "TCP", address: "127.0.0.1", port } as const;
  const flow = client.layer.flowTo(target, "core");
  assert.equal(flow.localAddress, "127.0.0.2");
  assert.equal(client.layer.flowTo(target, "wide").localAddress, "127.0.0.1");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.flow.remoteAddress, "127.0.0.2");
  assert.equal(flow.localAddress, "127.0.0.2");
});

test("a port that is taken is an error of listen, over UDP and TCP", async (t) => {
  const first = station(t);
  const second = station(t);
  for (const protocol of ["UDP", "TCP"] as const) {
    const { port } = await first.layer.listen({ ...tcp, protocol });
    await assert.rejects(second.layer.listen({ ...tcp, protocol, port }), { code: "EADDRINUSE" });
  }
  assert.deepEqual(second.layer.listeningPoints, []);
});

test("connections in all are limited, dialled ones included", async (t) => {
  const server = station(t);
  const client = station(t, { limits: { maxConnections: 2 } });
  const ports: number[] = [];
  for (let i = 0; i < 3; i += 1) ports.push((await server.layer.listen(tcp)).port);
  const flows = ports.map((port) =>
    client.layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port }, "core"),
  );
  assert.deepEqual(
    flows.map((flow) => flow.open),
    [true, true, false],
  );
});
