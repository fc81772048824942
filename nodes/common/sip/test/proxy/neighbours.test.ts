import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import {
  NodeTransportLayer,
  ProxyCore,
  parseMessage,
  popOwnRoutes,
  type SipMessage,
  type TransactionUser,
  type TransportHandler,
} from "../../src/index.ts";
import { LocalNetwork } from "../../src/transport/local-network.ts";

interface Arrived {
  readonly text: string;
  readonly message: SipMessage | undefined;
}

/** A node of this process, and what its neighbour has sent it, as it was handed over. */
function node(t: TestContext, network: LocalNetwork, entity: TransactionUser) {
  const arrived: Arrived[] = [];
  const clock = systemClock();
  const watched = (handler: TransportHandler): TransportHandler => ({
    onMessage: (text, flow, message) => {
      if (flow.side === "core") arrived.push({ text, message: message?.clone() });
      handler.onMessage(text, flow, message);
    },
  });
  const core = new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false },
    ],
    clock,
    locator: { locate: () => [], failed: () => undefined },
    transport: (handler) => new NodeTransportLayer({ handler: watched(handler), clock, network }),
    onDefect: (error) => assert.fail(String(error)),
  });
  t.after(() => core.stop());
  return { core, arrived };
}

const INVITE = [
  "INVITE sip:bob@example.com SIP/2.0",
  "v: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKtest1;rport",
  "Max-Forwards : 70",
  "ROUTE: <sip:edge.example.com;lr>, <sip:inner.example.com;lr;x=1>",
  "f: <sip:alice@example.com>",
  "  ;tag=a1",
  "t: <sip:bob@example.com>",
  "i: call-1",
  "CSeq: 0001",
  "\tINVITE",
  "m: <sip:alice@127.0.0.1:6000>",
  "X-Private: one",
  "c: text/plain",
  "l: 4",
  "",
  "body and what does not belong to it",
].join("\r\n");

test("RFC 3261 §7: what a node of the same process is handed is what its text says, for requests and answers", async (t) => {
  const network = new LocalNetwork();
  const inner = node(t, network, {
    functionalEntity: "S-CSCF",
    accepts: (uri) => uri.host === "inner.example.com",
    onRequest: (context) => {
      context.respond(180);
      context.respond(200, { edit: (response) => void response.append("Contact", "<sip:bob@127.0.0.1>") });
    },
  });
  const { port } = await inner.core.transport.listen({
    ...{ side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 },
  });
  const edge = node(t, network, {
    functionalEntity: "P-CSCF",
    accepts: (uri) => uri.host === "edge.example.com",
    onRequest: (context) => {
      const forwarded = context.forward();
      popOwnRoutes(forwarded, { own: { has: (uri) => uri.host === "edge.example.com" } });
      forwarded.prepend("Record-Route", "<sip:edge.example.com;lr>");
      const target = { protocol: "TCP", address: "127.0.0.1", port } as const;
      context.fork(forwarded, { destination: { kind: "targets", targets: [target], side: "core" } });
    },
  });
  const access = await edge.core.transport.listen({
    ...{ side: "access", protocol: "UDP", host: "127.0.0.1", port: 0 },
  });
  const ue = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => ue.close());
  await once(ue, "listening");
  const statuses: number[] = [];
  const answered = new Promise<void>((resolve) => {
    ue.on("message", (bytes) => {
      const status = Number(bytes.toString("latin1").slice(8, 11));
      statuses.push(status);
      if (status === 200) resolve();
    });
  });
  ue.send(INVITE, access.port, "127.0.0.1");
  await answered;

  assert.deepEqual(statuses, [180, 200]);
  assert.deepEqual(
    [inner.arrived, edge.arrived].map((all) => all.map(({ text }) => text.slice(0, 11))),
    [["INVITE sip:"], ["SIP/2.0 180", "SIP/2.0 200"]],
  );
  for (const { text, message } of [...inner.arrived, ...edge.arrived]) {
    const read = parseMessage(text);
    assert.ok(message !== undefined && read.kind === "message", text);
    assert.equal(message.toString(), text);
    assert.deepEqual(said(message), said(read.message));
  }
  assert.equal(inner.arrived[0]?.message?.body, "body");
});

/** All that nodes ask of a message. */
function said(message: SipMessage) {
  const { method, requestUri, status, reason, callId, fromTag, toTag, cseqNumber, cseqMethod, body, length } =
    message;
  return {
    ...{ method, requestUri, status, reason, callId, fromTag, toTag, cseqNumber, cseqMethod, body, length },
    lines: [...message.entries()],
    via: message.topVia?.branch,
    target: message.target?.host,
    routes: message.routes.map(({ text, uri }) => [text, uri?.host]),
  };
}
