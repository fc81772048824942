import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type Flow, ProxyCore, parseMessage, type TransactionUser } from "../../src/index.ts";
import { type FakeFlow, FakeTransportLayer } from "../../testing/index.ts";

interface Worker {
  readonly core: ProxyCore;
  readonly transport: FakeTransportLayer;
  /** Its flow to the UE, from the port that all workers have. */
  readonly ue: FakeFlow;
  readonly handedOver: string[];
  readonly dropped: string[];
}

/** A process that shares its port for UEs with others of the pool, and sends what comes from inside to the UE. */
function worker({ takes = true, key = 7 } = {}): Worker {
  const transport = new FakeTransportLayer();
  const handedOver: string[] = [];
  const dropped: string[] = [];
  const place: { ue?: Flow } = {};
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: (context) => {
      const { ue: flow } = place;
      if (flow !== undefined)
        context.fork(context.forward(), { destination: { kind: "flow", flow, sole: true } });
    },
  };
  const core = new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false },
    ],
    clock: fakeClock(),
    locator: { locate: () => [], failed: () => undefined },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
    poolKey: createSecretKey(Buffer.alloc(32, key)),
    handOver: (text) => {
      if (takes) handedOver.push(text);
      return takes;
    },
    counters: {
      request: () => undefined,
      response: () => undefined,
      dropped: (what) => void dropped.push(what),
    },
  });
  const ue = transport.connect({ side: "access", protocol: "UDP", remotePort: 6000 });
  place.ue = ue;
  return { core, transport, ue, handedOver, dropped };
}

const INVITE = [
  "INVITE sip:bob@192.0.2.2:6000 SIP/2.0",
  "Via: SIP/2.0/TCP 10.0.0.2:5054;branch=z9hG4bKone",
  "Max-Forwards: 70",
  "From: <sip:alice@example.com>;tag=a",
  "To: <sip:bob@example.com>",
  "Call-ID: c",
  "CSeq: 1 INVITE",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

/** What the UE answers to what it was sent. */
function ringing(sent: string | undefined): string {
  const asked = parseMessage(sent ?? "");
  if (asked.kind !== "message") return assert.fail("the UE was sent nothing");
  const { message } = asked;
  return [
    "SIP/2.0 180 Ringing",
    ...message.values("Via").map((via) => `Via: ${via}`),
    `From: ${message.header("From")}`,
    `To: ${message.header("To")};tag=b`,
    `Call-ID: ${message.callId}`,
    `CSeq: ${message.header("CSeq")}`,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

test("an answer of a UE that came to another worker than the one that asked is handed over, and goes its way from there", () => {
  const [asking, other] = [worker(), worker()];
  const sprout = asking.transport.connect({ side: "core", protocol: "TCP", remotePort: 40_000 });
  sprout.receive(INVITE);
  const answer = ringing(asking.ue.sent.at(-1));
  other.ue.receive(answer);
  assert.deepEqual(other.handedOver, [answer]);
  assert.deepEqual(other.dropped, []);
  asking.core.takeOver(answer, asking.ue);
  assert.match(sprout.sent.at(-1) ?? "", /^SIP\/2\.0 180 /);
  assert.deepEqual(asking.handedOver, []);
});

test("what was handed over and is nobody's here is not handed on: it would go round", () => {
  const [asking, other] = [worker(), worker()];
  asking.transport.connect({ side: "core", protocol: "TCP", remotePort: 40_000 }).receive(INVITE);
  const answer = ringing(asking.ue.sent.at(-1));
  other.core.takeOver(answer, other.ue);
  assert.deepEqual([other.handedOver, other.dropped], [[], ["response"]]);
  // Not the answers of others, either: what is no response of SIP is nothing.
  other.core.takeOver(INVITE, other.ue);
  other.core.takeOver("nonsense", other.ue);
  assert.deepEqual([other.handedOver, other.dropped], [[], ["response"]]);
});

test("answers to what no worker of ours has asked, or that came over a connection, are dropped where they come", () => {
  const [asking, other, strange] = [worker(), worker(), worker({ key: 9 })];
  asking.transport.connect({ side: "core", protocol: "TCP", remotePort: 40_000 }).receive(INVITE);
  const answer = ringing(asking.ue.sent.at(-1));
  strange.ue.receive(answer);
  assert.deepEqual([strange.handedOver, strange.dropped], [[], ["response"]]);
  other.transport.connect({ side: "access", protocol: "TCP", remotePort: 6001 }).receive(answer);
  assert.deepEqual([other.handedOver, other.dropped], [[], ["response"]]);
  const refusing = worker({ takes: false });
  refusing.ue.receive(answer);
  assert.deepEqual(refusing.dropped, ["response"]);
});
