import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { fakeClock } from "@ims/runtime/testing";
import { selfSigned } from "./certificate.ts";
import { message, rawPeer, station, until } from "./support.ts";

const keys = selfSigned();
const listen = { side: "access", protocol: "TLS", host: "127.0.0.1", port: 0, tls: keys } as const;

for (const host of ["127.0.0.1", "::1"]) {
  test(`RFC 3261 §26.3.1: messages and answers over TLS, certificate checked (${host})`, async (t) => {
    const server = station(t);
    const client = station(t, { tls: { ca: keys.cert } });
    const { port } = await server.layer.listen({ ...listen, host });
    server.answer = (text, flow) => flow.send(text);
    const flow = client.layer.flowTo(
      { protocol: "TLS", address: host, port, serverName: "localhost" },
      "access",
    );
    for (let i = 0; i < 20; i += 1) flow.send(message(i, "\xe9"));
    await until("answers", () => client.messages.length === 20);
    assert.equal(server.messages[0]?.flow.protocol, "TLS");
    assert.equal(server.messages[0]?.flow.remotePort, flow.localPort);
    const same = { protocol: "TLS", address: host, port, serverName: "localhost" } as const;
    assert.equal(client.layer.flowTo(same, "access"), flow);
    assert.notEqual(client.layer.flowTo({ ...same, serverName: "example.com" }, "access"), flow);
  });
}

test("RFC 5922 §7: a certificate of an unknown authority or for another name closes the flow", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const distrusting = station(t);
  const trusting = station(t, { tls: { ca: keys.cert } });
  const target = { protocol: "TLS", address: "127.0.0.1", port, serverName: "localhost" } as const;
  const flows = [
    distrusting.layer.flowTo(target, "access"),
    trusting.layer.flowTo({ ...target, serverName: "example.com" }, "access"),
  ];
  let closed = 0;
  for (const flow of flows) {
    flow.send(message(1));
    flow.onClose(() => {
      closed += 1;
    });
  }
  await until("closed", () => closed === 2);
  assert.equal(server.messages.length, 0);
  const careless = station(t, { tls: { verify: false } });
  careless.layer.flowTo(target, "access").send(message(2));
  await until("message", () => server.messages.length === 1);
});

test("an accepted connection serves a target without a name to check, and none with one", async (t) => {
  const server = station(t);
  const client = station(t, { tls: { ca: keys.cert } });
  const { port } = await server.layer.listen(listen);
  client.layer.flowTo({ protocol: "TLS", address: "127.0.0.1", port }, "access").send(message(1));
  await until("message", () => server.messages.length === 1);
  const accepted = server.messages[0]?.flow;
  assert.ok(accepted);
  const back = { protocol: "TLS", address: "127.0.0.1", port: accepted.remotePort } as const;
  assert.equal(server.layer.flowTo(back, "access"), accepted);
  assert.notEqual(server.layer.flowTo({ ...back, serverName: "localhost" }, "access"), accepted);
});

test("RFC 8996: TLS 1.1 is refused", async (t) => {
  const server = station(t);
  const { port } = await server.layer.listen(listen);
  const old = connect({
    host: "127.0.0.1",
    port,
    rejectUnauthorized: false,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL:@SECLEVEL=0",
  });
  let failed = false;
  old.on("error", () => {
    failed = true;
  });
  old.on("secureConnect", () => assert.fail("handshake succeeded"));
  await until("refused", () => failed);
});

test("plain SIP on the TLS port and silence in the handshake harm nobody; both count against the limits", async (t) => {
  const clock = fakeClock();
  const server = station(t, { clock, limits: { maxConnectionsPerSource: 2 } });
  const { port } = await server.layer.listen(listen);
  const silent = await rawPeer(t, port);
  const plain = await rawPeer(t, port);
  const third = await rawPeer(t, port);
  await until("third refused", () => third.closed);
  plain.socket.write(message(1));
  await until("plain refused", () => plain.closed);
  const client = station(t, { tls: { ca: keys.cert } });
  client.layer.flowTo({ protocol: "TLS", address: "127.0.0.1", port }, "access").send(message(2));
  await until("message", () => server.messages.length === 1);
  assert.equal(silent.closed, false);
  const stopped = server.layer.stop();
  await client.layer.stop();
  clock.advance(1_100);
  await stopped;
  await until("silent one cut", () => silent.closed);
});

test("a listener without key and certificate is refused with a clear error", async (t) => {
  const server = station(t);
  await assert.rejects(server.layer.listen({ side: "access", protocol: "TLS", host: "127.0.0.1", port: 0 }), {
    message: "TLS on 127.0.0.1:0 needs a key and a certificate",
  });
});
