import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeTransportLayer } from "../../testing/fake-transport.ts";

test("the transport in memory: injected messages come in, sent ones are kept", async () => {
  const seen: string[] = [];
  const layer = new FakeTransportLayer({ onMessage: (text, flow) => seen.push(`${text} ${flow.id}`) });
  await layer.listen({ side: "core", protocol: "UDP", host: "127.0.0.1", port: 5060 });
  const flow = layer.connect({ remotePort: 4000 });
  flow.receive("hello");
  assert.deepEqual(seen, [`hello ${flow.id}`]);
  assert.equal(layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port: 4000 }, "core"), flow);
  assert.equal(layer.udpFlow("core", 5060, "127.0.0.1", 4000), flow);
  assert.equal(layer.udpFlow("access", 5060, "127.0.0.1", 4000), undefined);
  assert.equal(flow.send("answer"), true);
  assert.deepEqual(layer.takeSent(), [{ text: "answer", flow }]);
  assert.deepEqual(layer.takeSent(), []);
  assert.deepEqual(flow.sent, ["answer"]);
});

test("the transport in memory: a closed flow is gone, a refused target is dead, listeners hear of both once", async () => {
  const layer = new FakeTransportLayer();
  const target = { protocol: "TCP", address: "192.0.2.1", port: 5060 } as const;
  const flow = layer.flowTo(target, "core");
  assert.equal(layer.dialled[0], flow);
  const closed: number[] = [];
  const listener = (one: { id: number }): void => {
    closed.push(one.id);
  };
  flow.onClose(listener);
  flow.onClose(listener);
  layer.refuse(target);
  assert.equal(flow.open, false);
  assert.deepEqual(closed, []);
  const dead = layer.flowTo(target, "core");
  assert.equal(dead.send("x"), false);
  dead.onClose(listener);
  await Promise.resolve();
  assert.deepEqual(closed, [flow.id, dead.id]);
  layer.allow(target);
  const again = layer.flowTo(target, "core");
  assert.equal(again.open, true);
  again.onClose(listener);
  again.offClose(listener);
  await layer.stop();
  await Promise.resolve();
  assert.equal(closed.length, 2);
  assert.equal(layer.flow(again.id), undefined);
});
