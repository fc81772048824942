import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "@ims/runtime";
import { NodeTransportLayer } from "../../src/index.ts";
import { QueueProbe } from "../../src/overload/queue-probe.ts";
import { mmsgAddon } from "../../src/transport/mmsg-addon.ts";
import { openUdpSockets } from "../../src/transport/udp-sockets.ts";
import { message, type Station, station, until } from "./support.ts";

const HOST = "127.0.0.1";
const point = { side: "access", host: HOST, shared: {} } as const;
/** So many far ends that two equal shares of them are both more than none: 1 in 2^39 runs says otherwise. */
const FAR_ENDS = 40;

async function farEnds(t: TestContext, count = FAR_ENDS): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => createSocket("udp4"));
  t.after(() => {
    for (const socket of sockets) socket.close();
  });
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => void socket.bind(0, HOST, resolve))),
  );
  return sockets;
}

/** The remote ports of what a station has been told. */
const portsOf = ({ messages }: Station): Set<number> => new Set(messages.map(({ flow }) => flow.remotePort));

const skip = mmsgAddon() === undefined && "no C compiler";
for (const [name, datagrams, skipped] of [
  ["recvmmsg and sendmmsg", "auto", skip],
  ["node:dgram", "dgram", false],
] as const)
  describe(`UDP by ${name}`, { skip: skipped }, () => {
    test("several listeners share a port: each has far ends of its own, and answers them from that port", async (t) => {
      const [first, second] = [station(t, { datagrams }), station(t, { datagrams })];
      const { port } = await first.layer.listen({ ...point, protocol: "UDP", port: 0 });
      await second.layer.listen({ ...point, protocol: "UDP", port });
      const ends = await farEnds(t);
      for (let round = 0; round < 3; round++) for (const end of ends) end.send(message(round), port, HOST);
      await until("messages", () => first.messages.length + second.messages.length === 3 * FAR_ENDS);
      const [ours, theirs] = [portsOf(first), portsOf(second)];
      assert.ok(ours.size > 0 && theirs.size > 0, `${ours.size} and ${theirs.size}`);
      assert.equal(ours.size + theirs.size, FAR_ENDS, "none of them came to both");
      const one = ends.find((end) => theirs.has(end.address().port));
      assert.ok(one);
      const answered = new Promise<number>((resolve) => one.once("message", (_, from) => resolve(from.port)));
      second.messages
        .find(({ flow }) => flow.remotePort === one.address().port)
        ?.flow.send(message("answer"));
      assert.equal(await answered, port);
    });

    test("who listens alone shares with nobody", async (t) => {
      const [first, second] = [station(t, { datagrams }), station(t, { datagrams })];
      const { port } = await first.layer.listen({ side: "access", protocol: "UDP", host: HOST, port: 0 });
      await assert.rejects(second.layer.listen({ ...point, protocol: "UDP", port }), { code: "EADDRINUSE" });
    });
  });

test("a socket that is kept open keeps its far ends: who goes on with it is told what they sent meanwhile, and nobody else is", {
  skip,
}, async (t) => {
  const probe = createSocket("udp4");
  const port = await new Promise<number>((resolve) =>
    probe.bind(0, HOST, () => {
      const { port: free } = probe.address();
      probe.close(() => resolve(free));
    }),
  );
  const sockets = openUdpSockets(HOST, port, 2);
  assert.ok(sockets);
  t.after(() => sockets.close());
  const [one, two] = sockets.descriptors;
  const listen = async (descriptor: number | undefined): Promise<Station> => {
    const it = station(t);
    await it.layer.listen({ ...point, protocol: "UDP", port, shared: { descriptor } });
    return it;
  };
  const first = await listen(one);
  const second = await listen(two);
  const ends = await farEnds(t);
  for (const end of ends) end.send(message(1), port, HOST);
  await until("messages", () => first.messages.length + second.messages.length === FAR_ENDS);
  const theirs = portsOf(second);
  assert.ok(theirs.size > 0 && theirs.size < FAR_ENDS);

  await second.layer.stop();
  for (const end of ends) end.send(message(2), port, HOST);
  await until("messages", () => first.messages.length === 2 * (FAR_ENDS - theirs.size));
  const again = await listen(two);
  await until("what waited", () => again.messages.length === theirs.size);
  assert.deepEqual(portsOf(again), theirs);
  assert.ok(again.messages.every(({ text }) => text === message(2)));
  assert.deepEqual(
    [...portsOf(first)].filter((remote) => theirs.has(remote)),
    [],
  );
});

test("a port that somebody has for himself is not shared", { skip }, async (t) => {
  const alone = createSocket("udp4");
  t.after(() => alone.close());
  await new Promise<void>((resolve) => void alone.bind(0, HOST, resolve));
  assert.throws(() => openUdpSockets(HOST, alone.address().port, 2), { code: "EADDRINUSE" });
  assert.throws(() => openUdpSockets("not-an-address", 0, 1), { code: "EINVAL" });
});

test("several listeners share a TCP port: each gets connections, and those of one that stops go to the other", async (t) => {
  const [first, second] = [station(t), station(t)];
  const { port } = await first.layer.listen({ ...point, protocol: "TCP", port: 0 });
  await second.layer.listen({ ...point, protocol: "TCP", port });
  const say = async (count: number, id: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const socket = connect(port, HOST, () => socket.write(message(id)));
      socket.on("error", () => socket.destroy());
      t.after(() => socket.destroy());
    }
  };
  await say(FAR_ENDS, 1);
  await until("messages", () => first.messages.length + second.messages.length === FAR_ENDS);
  assert.ok(first.messages.length > 0 && second.messages.length > 0);
  const before = first.messages.length;
  await second.layer.stop();
  await say(FAR_ENDS, 2);
  await until("messages", () => first.messages.length === before + FAR_ENDS);
});

test("the probe of a shared port finds a sender whose datagrams come to its own socket", async (t) => {
  const clock = systemClock();
  const layers: NodeTransportLayer[] = [];
  const strange: string[] = [];
  const probes = [0, 1, 2].map(() => new QueueProbe(clock));
  let port = 0;
  for (const probe of probes) {
    const handler = probe.watch({ onMessage: (text) => void strange.push(text) });
    const layer = new NodeTransportLayer({ clock, handler });
    layers.push(layer);
    const opened = await layer.listen({ ...point, protocol: "UDP", port });
    port = opened.port;
    probe.open(opened, true);
  }
  t.after(async () => {
    for (const probe of probes) probe.close();
    for (const layer of layers) await layer.stop();
  });
  // Each looks for a sender until its probe comes back; two in three that are tried are somebody else's.
  for (let round = 0; round < 60; round++) {
    for (const probe of probes) assert.ok(probe.delay() < 1_000);
    await delay(50);
  }
  const before = strange.length;
  for (let round = 0; round < 20; round++) {
    for (const probe of probes) probe.delay();
    await delay(20);
  }
  assert.equal(strange.length, before, "nobody gets another's probe any more");
});
