import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type ClientOptions, WebSocket } from "ws";
import { selfSigned } from "./certificate.ts";
import { message, rawPeer, station, until } from "./support.ts";

const listen = { side: "access", protocol: "WS", host: "127.0.0.1", port: 0 } as const;

interface WsPeer {
  readonly webSocket: WebSocket;
  readonly received: { data: Buffer; isBinary: boolean }[];
  closed: number | undefined;
  failed: string | undefined;
}

async function wsPeer(
  t: TestContext,
  url: string,
  subprotocols: string[] = ["sip"],
  options: ClientOptions = {},
): Promise<WsPeer> {
  const webSocket = new WebSocket(url, subprotocols, options);
  const peer: WsPeer = { webSocket, received: [], closed: undefined, failed: undefined };
  webSocket.on("message", (data: Buffer, isBinary) => peer.received.push({ data, isBinary }));
  webSocket.on("error", (error) => {
    peer.failed = error.message;
  });
  webSocket.on("close", (code) => {
    peer.closed = code;
  });
  t.after(() => webSocket.terminate());
  await until("open or failed", () => webSocket.readyState !== WebSocket.CONNECTING);
  return peer;
}

for (const host of ["127.0.0.1", "::1"]) {
  test(`RFC 7118 §5: one WebSocket message is one SIP message, text or binary (${host})`, async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen({ ...listen, host });
    const peer = await wsPeer(t, `ws://${host.includes(":") ? `[${host}]` : host}:${port}`);
    assert.equal(peer.webSocket.protocol, "sip");
    const withoutLength = "OPTIONS sip:a@example.com SIP/2.0\r\nSubject: \u00e9\r\n\r\n";
    peer.webSocket.send(withoutLength);
    peer.webSocket.send(Buffer.from(message(2, "\xff"), "latin1"), { binary: true });
    await until("messages", () => server.messages.length === 2);
    assert.equal(server.messages[0]?.text, Buffer.from(withoutLength).toString("latin1"));
    assert.equal(server.messages[1]?.text, message(2, "\xff"));
    const flow = server.messages[0]?.flow;
    assert.ok(flow);
    assert.deepEqual(
      [flow.protocol, flow.reliable, flow.remoteAddress, flow.localPort],
      ["WS", true, host, port],
    );
    flow.send(message(3));
    flow.send(Buffer.from(withoutLength).toString("latin1"));
    flow.send(message(4, "\xff"));
    await until("answers", () => peer.received.length === 3);
    assert.deepEqual(
      peer.received.map(({ data, isBinary }) => [data.toString("latin1"), isBinary]),
      [
        [message(3), false],
        [Buffer.from(withoutLength).toString("latin1"), false],
        [message(4, "\xff"), true],
      ],
    );
    const back = { protocol: "WS", address: host, port: flow.remotePort } as const;
    assert.equal(server.layer.flowTo(back, "access"), flow);
    assert.equal(server.layer.flowTo({ ...back, port }, "access").open, false);
  });
}

test("RFC 7118 §8: the same over TLS", async (t) => {
  const keys = selfSigned();
  const server = station(t);
  const { port } = await server.layer.listen({ ...listen, protocol: "WSS", tls: keys });
  const peer = await wsPeer(t, `wss://127.0.0.1:${port}`, ["sip"], { ca: keys.cert });
  peer.webSocket.send(message(1));
  await until("message", () => server.messages.length === 1);
  assert.equal(server.messages[0]?.flow.protocol, "WSS");
  server.messages[0]?.flow.send(message(2));
  await until("answer", () => peer.received.length === 1);
});

test("RFC 7118 §4: a handshake without the subprotocol sip is refused, among others it is picked", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const without = await wsPeer(t, `ws://127.0.0.1:${port}`, []);
  const other = await wsPeer(t, `ws://127.0.0.1:${port}`, ["msrp"]);
  assert.match(without.failed ?? "", /400/);
  assert.match(other.failed ?? "", /400/);
  const several = await wsPeer(t, `ws://127.0.0.1:${port}`, ["msrp", "sip"]);
  assert.equal(several.webSocket.protocol, "sip");
});

test("a plain HTTP request gets 426, and nonsense is closed", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(response.status, 426);
  const nonsense = await rawPeer(t, port);
  nonsense.socket.write(message(1));
  await until("closed", () => nonsense.closed);
  assert.equal(server.messages.length, 0);
});

test("RFC 5626 §4.4.1, RFC 6455 §5.5.2: double CRLF and ping are answered", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const peer = await wsPeer(t, `ws://127.0.0.1:${port}`);
  let pongs = 0;
  peer.webSocket.on("pong", () => {
    pongs += 1;
  });
  peer.webSocket.send("\r\n\r\n");
  peer.webSocket.ping();
  await until("answers", () => peer.received.length === 1 && pongs === 1);
  assert.equal(peer.received[0]?.data.toString(), "\r\n");
  assert.equal(server.keepAlives.length, 2);
  assert.equal(server.messages.length, 0);
});

test("a message above the size limit closes the connection", async (t) => {
  const server = station(t, { limits: { maxMessageBytes: 1_000 } });
  const { port } = await server.layer.listen(listen);
  const peer = await wsPeer(t, `ws://127.0.0.1:${port}`);
  peer.webSocket.send(message(1, "x".repeat(2_000)));
  await until("closed", () => peer.closed !== undefined);
  assert.deepEqual(
    server.garbage.map(({ reason }) => reason),
    ["tooLarge"],
  );
});

test("text that is no UTF-8 closes the connection (RFC 6455 §8.1)", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const peer = await wsPeer(t, `ws://127.0.0.1:${port}`);
  peer.webSocket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  await until("closed", () => peer.closed !== undefined);
  assert.equal(server.messages.length, 0);
});

test("a peer that vanishes closes the flow, and one that never reads is cut off", async (t) => {
  const server = station(t, { limits: { maxQueuedBytes: 100_000 } });
  const { port } = await server.layer.listen(listen);
  const [gone, deaf] = [await wsPeer(t, `ws://127.0.0.1:${port}`), await wsPeer(t, `ws://127.0.0.1:${port}`)];
  gone.webSocket.send(message("gone"));
  await until("first", () => server.messages.length === 1);
  deaf.webSocket.send(message("deaf"));
  await until("both", () => server.messages.length === 2);
  const [first, second] = server.messages.map(({ flow }) => flow);
  assert.ok(first && second);
  gone.webSocket.terminate();
  await until("closed", () => !first.open);
  assert.equal(server.layer.flow(first.id), undefined);
  deaf.webSocket.pause();
  await until("cut", () => {
    second.send(message(1, "x".repeat(50_000)));
    return !second.open;
  });
});

test("a frame that trickles in is cut off, an idle connection is closed politely", async (t) => {
  const clock = fakeClock();
  const server = station(t, { clock, limits: { partialMs: 30_000, idleMs: 100_000 } });
  const { port } = await server.layer.listen(listen);
  const slow = await rawPeer(t, port);
  slow.socket.write(
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
  );
  await until("upgraded", () => slow.text.includes("101"));
  const idle = await wsPeer(t, `ws://127.0.0.1:${port}`);
  slow.socket.write(Buffer.from([0x81, 0xfe, 1, 0, 0, 0, 0, 0, 65]));
  idle.webSocket.send(message(1));
  await until("one", () => server.messages.length === 1);
  clock.advance(31_000);
  slow.socket.write(Buffer.from([65]));
  idle.webSocket.send(message(2));
  await until("two", () => server.messages.length === 2);
  clock.advance(31_000);
  assert.deepEqual(
    server.garbage.map(({ reason }) => reason),
    ["incomplete"],
  );
  await until("slow one closed", () => {
    clock.advance(1_000);
    return slow.closed;
  });
  assert.equal(idle.closed, undefined);
  clock.advance(100_000);
  await until("idle one closed", () => idle.closed !== undefined);
  assert.equal(idle.closed, 1000);
});
