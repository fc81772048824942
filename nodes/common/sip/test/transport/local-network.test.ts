import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { SipMessage } from "../../src/message/message.ts";
import { defaultLimits } from "../../src/transport/limits.ts";
import { LocalNetwork } from "../../src/transport/local-network.ts";
import { message, rawPeer, type Station, station, until } from "./support.ts";

const tcp = { side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 } as const;

/** Two nodes of one process, and the target that leads from the second to the first. */
async function neighbours(t: TestContext, options: Parameters<typeof station>[1] = {}) {
  const network = new LocalNetwork();
  const server = station(t, { ...options, network });
  const client = station(t, { ...options, network });
  const { port } = await server.layer.listen(tcp);
  const target = { protocol: "TCP", address: "127.0.0.1", port } as const;
  return { network, server, client, target };
}

function texts({ messages }: Station): string[] {
  return messages.map(({ text }) => text);
}

test("RFC 3261 §18: messages to a node of the same process arrive in order before the loop goes on, answers on the same connection", async (t) => {
  const { server, client, target } = await neighbours(t);
  server.answer = (text, flow) => flow.send(`${text}!`.replace("Content-Length: 0", "Content-Length: 1"));
  const flow = client.layer.flowTo(target, "core");
  for (let i = 0; i < 50; i += 1) assert.equal(flow.send(message(i)), true);
  assert.equal(server.messages.length, 0, "never within the call that sends");
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(
    texts(server),
    Array.from({ length: 50 }, (_, i) => message(i)),
  );
  await until("answers", () => client.messages.length === 50);
  assert.deepEqual(
    texts(client),
    Array.from({ length: 50 }, (_, i) => message(i, "!")),
  );
  assert.ok(client.messages.every((one) => one.flow === flow));
  const accepted = server.messages[0]?.flow;
  assert.equal(accepted?.remotePort, flow.localPort);
  assert.equal(accepted?.remoteAddress, "127.0.0.1");
  assert.equal(accepted?.localPort, target.port);
  assert.equal(accepted?.reliable, true);
  assert.equal(server.layer.flow(accepted?.id ?? 0), accepted);
  assert.equal(client.layer.flowTo(target, "core"), flow, "used again");
  assert.notEqual(client.layer.flowTo(target, "access"), flow, "but for no other zone");
});

test("a message that is sent with its text arrives as a copy that belongs to the receiver", async (t) => {
  const { server, client, target } = await neighbours(t);
  const sent = SipMessage.request("OPTIONS", "sip:a@example.com").append("Call-ID", "one");
  const flow = client.layer.flowTo(target, "core");
  flow.send(sent.toString(), sent);
  sent.set("Call-ID", "changed after that");
  flow.send(message(2));
  await until("messages", () => server.messages.length === 2);
  const [first, second] = server.messages;
  assert.equal(first?.message?.callId, "one");
  assert.equal(first?.message?.toString(), first?.text);
  assert.equal(second?.message, undefined, "whoever has the text only has to read it");
  first?.message?.set("Call-ID", "changed by the receiver");
  assert.equal(sent.callId, "changed after that");
});

test("what one end has made of a text for the other is there for it alone", async (t) => {
  const { server, client, target } = await neighbours(t);
  const taken: (string | undefined)[] = [];
  server.answer = (text, flow) => taken.push(flow.handed?.take(text), flow.handed?.take(text));
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  flow.handed?.put(message(1), "made");
  const other = client.layer.flowTo(target, "access");
  other.send(message(1));
  await until("messages", () => server.messages.length === 2);
  assert.deepEqual(taken, ["made", undefined, undefined, undefined]);
});

test("who comes from another process finds the same port by a socket", async (t) => {
  const { server, target } = await neighbours(t);
  const peer = await rawPeer(t, target.port);
  peer.socket.write(message(1));
  await until("message", () => server.messages.length === 1);
});

test("a message that is sent while messages arrive waits until they have been handled", async (t) => {
  const { server, client, target } = await neighbours(t);
  const order: string[] = [];
  server.answer = (_, flow) => {
    order.push("begin");
    flow.send(message("answer"));
    order.push("end");
  };
  client.answer = () => order.push("answer");
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  flow.send(message(2));
  await until("answers", () => client.messages.length === 2);
  assert.deepEqual(order, ["begin", "end", "begin", "end", "answer", "answer"]);
});

test("what was sent before a close arrives, then both ends are closed and say so once", async (t) => {
  const { server, client, target } = await neighbours(t);
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  const far = server.messages[0]?.flow;
  const closed: string[] = [];
  flow.onClose(() => closed.push("near"));
  far?.onClose(() => closed.push("far"));
  flow.send(message(2));
  flow.close();
  assert.equal(flow.open, false);
  assert.equal(flow.send(message(3)), false);
  await until("both closed", () => closed.length === 2);
  assert.deepEqual(texts(server), [message(1), message(2)]);
  assert.equal(far?.open, false);
  assert.equal(client.layer.flow(flow.id), undefined);
  const next = client.layer.flowTo(target, "core");
  assert.notEqual(next, flow, "the next message takes a new connection");
  assert.equal(next.open, true);
});

test("a reset drops what was not delivered", async (t) => {
  const { server, client, target } = await neighbours(t);
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  flow.send(message(2));
  flow.reset?.();
  await until("closed", () => server.messages[0]?.flow.open === false);
  assert.deepEqual(texts(server), [message(1)]);
});

test("RFC 5626 §4.4.1: a ping is answered by the far node, and counts as heard", async (t) => {
  const { server, client, target } = await neighbours(t);
  const flow = client.layer.flowTo(target, "core");
  assert.equal(flow.ping?.(), true);
  assert.equal(flow.pongs, 0);
  await until("pong", () => flow.pongs === 1);
  assert.equal(server.keepAlives.length, 1);
  assert.equal(server.keepAlives[0]?.ping, undefined, "only whoever dialled asks");
  flow.close();
  assert.equal(flow.ping?.(), false);
});

test("a message above the limit of the receiver ends the connection, and is reported", async (t) => {
  const { server, client, target } = await neighbours(t, { limits: { maxMessageBytes: 500 } });
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1, "x".repeat(600)));
  flow.send(message(2));
  await until("closed", () => !flow.open);
  assert.deepEqual(
    server.garbage.map(({ reason, text }) => [reason, text.length]),
    [["tooLarge", 500]],
  );
  assert.deepEqual(server.messages, []);
});

test("a node that stopped listening, or has no room, is not reached", async (t) => {
  const { server, client, target } = await neighbours(t, { limits: { maxConnections: 2 } });
  const kept = client.layer.flowTo(target, "core");
  const other = client.layer.flowTo(target, "access");
  assert.deepEqual([kept.open, other.open], [true, true]);
  assert.equal(client.layer.flowTo(target, "third").open, false, "no room");
  other.close();
  await until("closed", () => client.layer.flow(other.id) === undefined);
  server.layer.stopListening("core");
  const late = client.layer.flowTo(target, "access");
  let refused = false;
  late.onClose(() => {
    refused = true;
  });
  await until("refused by the kernel", () => refused);
  kept.send(message(1));
  await until("what there was lives on", () => server.messages.length === 1);
});

test("a connection without traffic is closed at both ends", async (t) => {
  const clock = fakeClock();
  const { server, client, target } = await neighbours(t, { clock });
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  clock.advance(defaultLimits.idleMs + 1);
  await until("closed", () => !flow.open && server.messages[0]?.flow.open === false);
});

test("stopping a node closes its connections and leaves the other one whole", async (t) => {
  const { server, client, target } = await neighbours(t);
  const flow = client.layer.flowTo(target, "core");
  flow.send(message(1));
  await until("message", () => server.messages.length === 1);
  await server.layer.stop();
  assert.equal(flow.open, false);
  const again = client.layer.flowTo(target, "core");
  let closed = false;
  again.onClose(() => {
    closed = true;
  });
  await until("refused", () => closed);
});
