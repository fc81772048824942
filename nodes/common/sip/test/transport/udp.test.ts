import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { describe, type TestContext, test } from "node:test";
import { crc32 } from "node:zlib";
import { fakeClock } from "@ims/runtime/testing";
import fc from "fast-check";
import { mmsgAddon } from "../../src/transport/mmsg-addon.ts";
import { station as anyStation, message, type Station, until } from "./support.ts";

const udp = { side: "access", protocol: "UDP", host: "127.0.0.1", port: 0 } as const;

interface Peer {
  readonly socket: Socket;
  readonly port: number;
  readonly received: Buffer[];
}

async function udpPeer(t: TestContext, host = "127.0.0.1"): Promise<Peer> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const received: Buffer[] = [];
  socket.on("message", (datagram) => received.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  t.after(() => socket.close());
  return { socket, port: socket.address().port, received };
}

test("where there is a C compiler, UDP goes by recvmmsg and sendmmsg", () => {
  const compiler = ["cc", "gcc", "clang"].some((name) => spawnSync("which", [name]).status === 0);
  assert.equal(mmsgAddon() !== undefined, compiler);
});

describe("UDP by recvmmsg and sendmmsg", { skip: mmsgAddon() === undefined && "no C compiler" }, () =>
  udpTests("auto"),
);
describe("UDP by node:dgram", () => udpTests("dgram"));

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function udpTests(datagrams: "auto" | "dgram"): void {
  const station = (t: TestContext, options: Parameters<typeof anyStation>[1] = {}): Station =>
    anyStation(t, { datagrams, ...options });

  for (const host of ["127.0.0.1", "::1"]) {
    test(`RFC 3261 §18: a datagram is a message, and its flow leads back to the sender (${host})`, async (t) => {
      const server = station(t);
      const { port } = await server.layer.listen({ ...udp, host });
      const peer = await udpPeer(t, host);
      peer.socket.send(Buffer.from(message(1, "\xff\x00"), "latin1"), port, host);
      peer.socket.send(Buffer.from(`\r\n${message(2)}`, "latin1"), port, host);
      await until("messages", () => server.messages.length === 2);
      assert.deepEqual(
        server.messages.map(({ text }) => text),
        [message(1, "\xff\x00"), message(2)],
      );
      const flow = server.messages[0]?.flow;
      assert.ok(flow);
      assert.equal(server.messages[1]?.flow, flow);
      assert.deepEqual(
        [
          flow.side,
          flow.protocol,
          flow.reliable,
          flow.localAddress,
          flow.localPort,
          flow.remoteAddress,
          flow.remotePort,
        ],
        ["access", "UDP", false, host, port, host, peer.port],
      );
      assert.equal(flow.send(message(3)), true);
      await until("answer", () => peer.received.length === 1);
      assert.equal(peer.received[0]?.toString("latin1"), message(3));
      assert.equal(server.layer.flow(flow.id), flow);
      assert.equal(server.layer.flowTo({ protocol: "UDP", address: host, port: peer.port }, "access"), flow);
      assert.equal(server.layer.udpFlow("access", port, host, peer.port), flow);
    });
  }

  test(
    datagrams === "auto"
      ? "while a datagram is handled its flow knows how long it has waited, in the socket and behind those read with it"
      : "node:dgram does not tell how long a datagram has waited",
    async (t) => {
      const server = station(t);
      const { port } = await server.layer.listen(udp);
      const peer = await udpPeer(t);
      const waited: (number | undefined)[] = [];
      server.answer = (_text, flow) => {
        waited.push(flow.waitedMs);
        standStill(30);
      };
      const sent = [1, 2].map(
        (id) => new Promise((resolve) => peer.socket.send(message(id), port, "127.0.0.1", resolve)),
      );
      await Promise.all(sent);
      const since = performance.now();
      standStill(60);
      await until("messages", () => waited.length === 2);
      const most = performance.now() - since + 1_000;
      if (datagrams === "dgram") return assert.deepEqual(waited, [undefined, undefined]);
      const [first = 0, second = 0] = waited;
      assert(first >= 55 && first < most, `${first} ms`);
      assert(second >= first + 29 && second < most, `${second} ms after ${first}`);
    },
  );

  test("RFC 5626: a UDP flow is made again from its addresses; without a listener there is none", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const peer = await udpPeer(t);
    assert.equal(server.layer.udpFlow("core", port, "127.0.0.1", peer.port), undefined);
    assert.equal(server.layer.udpFlow("access", port + 1, "127.0.0.1", peer.port), undefined);
    assert.equal(server.layer.udpFlow("access", port, "127.0.0.1", 0), undefined);
    server.layer.udpFlow("access", port, "127.0.0.1", peer.port)?.send(message(1));
    await until("message", () => peer.received.length === 1);
    const dead = server.layer.flowTo({ protocol: "UDP", address: "::1", port: peer.port }, "access");
    assert.equal(dead.open, false);
  });

  test("a dual-stack socket talks to IPv4 peers by their IPv4 address", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen({ ...udp, host: "::" });
    const peer = await udpPeer(t);
    peer.socket.send(message(1), port, "127.0.0.1");
    await until("message", () => server.messages.length === 1);
    assert.equal(server.messages[0]?.flow.remoteAddress, "127.0.0.1");
    server.messages[0]?.flow.send(message(2));
    await until("answer", () => peer.received.length === 1);
  });

  test("what is too long for a datagram is refused, not thrown", async (t) => {
    const server = station(t);
    await server.layer.listen(udp);
    const peer = await udpPeer(t);
    const flow = server.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port: peer.port }, "access");
    assert.equal(flow.send("x".repeat(65_508)), false);
    assert.equal(flow.send("x".repeat(65_507)), true);
    await until("longest", () => peer.received.length === 1);
  });

  test("a dead peer (ICMP port unreachable) does not harm the socket", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const dead = createSocket("udp4");
    await new Promise<void>((resolve) => dead.bind(0, "127.0.0.1", resolve));
    const gone = dead.address().port;
    await new Promise<void>((resolve) => dead.close(resolve));
    const flow = server.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port: gone }, "access");
    for (let i = 0; i < 5; i += 1) flow.send(message(i));
    const peer = await udpPeer(t);
    peer.socket.send(message(9), port, "127.0.0.1");
    await until("still alive", () => server.messages.length === 1);
  });

  test("RFC 5626 §4.4: line ends and NULs keep a known flow alive and are no message", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const peer = await udpPeer(t);
    peer.socket.send("\r\n\r\n", port, "127.0.0.1");
    peer.socket.send(Buffer.alloc(4), port, "127.0.0.1");
    peer.socket.send(Buffer.alloc(0), port, "127.0.0.1");
    peer.socket.send(message(1), port, "127.0.0.1");
    peer.socket.send("\r\n\r\n", port, "127.0.0.1");
    await until("keep-alive", () => server.keepAlives.length === 1);
    assert.equal(server.messages.length, 1);
    assert.equal(server.keepAlives[0], server.messages[0]?.flow);
  });

  function stunRequest(attributes: Buffer = Buffer.alloc(0)): Buffer {
    const head = Buffer.from("000100002112a442", "hex");
    head.writeUInt16BE(attributes.length, 2);
    return Buffer.concat([head, Buffer.from("0102030405060708090a0b0c", "hex"), attributes]);
  }

  test("RFC 5626 §4.4.2, RFC 8489: a STUN Binding request on the SIP port is answered with the mapped address", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const peer = await udpPeer(t);
    peer.socket.send(stunRequest(), port, "127.0.0.1");
    await until("response", () => peer.received.length === 1);
    const expected = Buffer.concat([
      Buffer.from("0101000c2112a4420102030405060708090a0b0c", "hex"),
      Buffer.from("002000080001", "hex"),
      Buffer.from([(peer.port >> 8) ^ 0x21, (peer.port & 0xff) ^ 0x12]),
      Buffer.from([127 ^ 0x21, 0 ^ 0x12, 0 ^ 0xa4, 1 ^ 0x42]),
    ]);
    assert.equal(peer.received[0]?.toString("hex"), expected.toString("hex"));
    assert.equal(server.messages.length, 0);
  });

  test("RFC 8489 §14.7, §6.3.1: FINGERPRINT is checked and given back, unknown attributes get 420", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen({ ...udp, host: "::1" });
    const peer = await udpPeer(t, "::1");
    const unsigned = stunRequest();
    unsigned.writeUInt16BE(8, 2);
    const mark = Buffer.from("8028000400000000", "hex");
    mark.writeUInt32BE((crc32(unsigned) ^ 0x5354554e) >>> 0, 4);
    const wrong = Buffer.from(mark);
    wrong.writeUInt32BE(1, 4);
    peer.socket.send(Buffer.concat([unsigned, wrong]), port, "::1");
    peer.socket.send(stunRequest(Buffer.from("0003ffff", "hex")), port, "::1");
    peer.socket.send(Buffer.concat([unsigned, mark]), port, "::1");
    peer.socket.send(
      stunRequest(Buffer.from("00030004000000020025000000240004000000ff", "hex")),
      port,
      "::1",
    );
    await until("responses", () => peer.received.length === 2);
    const [success, error] = peer.received;
    assert.ok(success && error);
    assert.equal(success.readUInt16BE(0), 0x0101);
    assert.equal(success.readUInt16BE(20), 0x0020);
    assert.equal(success.readUInt16BE(22), 20);
    const address = Buffer.from(success.subarray(28, 44)).map((byte, i) => byte ^ (success[4 + i] ?? 0));
    assert.equal(Buffer.from(address).toString("hex"), `${"0".repeat(31)}1`);
    const body = success.subarray(0, success.length - 8);
    assert.equal(success.readUInt32BE(success.length - 4), (crc32(body) ^ 0x5354554e) >>> 0);
    assert.equal(error.subarray(0, 2).toString("hex"), "0111");
    assert.equal(error.subarray(20).toString("hex"), "0009000400000414000a0006000300250024" + "0000");
  });

  test("flows are bounded in number: the oldest idle one goes, one with an attachment stays", async (t) => {
    const server = station(t, { limits: { maxUdpFlows: 3 } });
    await server.layer.listen(udp);
    const flows = [1, 2, 3, 4, 5].map((port, i) => {
      const flow = server.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port }, "access");
      if (i === 0) flow.attachment = {};
      return flow;
    });
    assert.deepEqual(flows.map((flow) => flow.open).filter((open) => open).length, 3);
    assert.equal(flows[0]?.open, true);
    assert.equal(new Set(flows.map((flow) => flow.id)).size, 5);
  });

  test("an idle flow is forgotten, a used one and one with an attachment are not", async (t) => {
    const clock = fakeClock();
    const server = station(t, { clock, limits: { udpIdleMs: 60_000 } });
    const { port } = await server.layer.listen(udp);
    const peer = await udpPeer(t);
    const to = (port: number) =>
      server.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port }, "access");
    const [idle, kept] = [to(1), to(2)];
    kept.attachment = {};
    for (let i = 1; i <= 6; i += 1) {
      peer.socket.send(message(i), port, "127.0.0.1");
      await until("message", () => server.messages.length === i);
      clock.advance(15_000);
    }
    let closed = false;
    idle.onClose(() => {
      closed = true;
    });
    await until("closed", () => closed);
    assert.equal(idle.open, false);
    assert.equal(server.layer.flow(idle.id), undefined);
    assert.equal(kept.open, true);
    assert.ok(server.messages.every(({ flow }) => flow.open && flow === server.messages[0]?.flow));
  });

  test("any datagram is a message, a keep-alive or nothing; none harms the socket", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const peer = await udpPeer(t);
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      // STUN with any type and attributes of a length that fits.
      fc.tuple(fc.nat(0x3fff), fc.uint8Array({ maxLength: 64 })).map(([type, bytes]) => {
        const request = stunRequest(Buffer.from(bytes.subarray(0, bytes.length & ~3)));
        request.writeUInt16BE(type % 7 === 0 ? 1 : type, 0);
        return request;
      }),
    );
    for (const datagram of fc.sample(anything, { numRuns: 300, seed: 5 })) {
      peer.socket.send(datagram, port, "127.0.0.1");
    }
    peer.socket.send(message("last"), port, "127.0.0.1");
    await until("last", () => server.messages.at(-1)?.text === message("last"));
    assert.ok(
      peer.received.every(
        (response) => response.readUInt16BE(0) === 0x0101 || response.readUInt16BE(0) === 0x0111,
      ),
    );
    assert.ok(peer.received.length > 0);
  });

  test("a burst of datagrams to many peers arrives whole and in order", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    const peers = await Promise.all(Array.from({ length: 5 }, () => udpPeer(t)));
    for (let i = 0; i < 150; i++)
      server.layer
        .flowTo({ protocol: "UDP", address: "127.0.0.1", port: peers[i % 5]?.port ?? 0 }, "access")
        .send(message(i, "x".repeat(i * 3)));
    await until("all", () => peers.every(({ received }) => received.length === 30));
    peers.forEach(({ received }, index) => {
      received.forEach((datagram, at) => {
        const i = at * 5 + index;
        assert.equal(datagram.toString("latin1"), message(i, "x".repeat(i * 3)));
      });
    });
    for (let i = 0; i < 200; i++) peers[i % 5]?.socket.send(message(i), port, "127.0.0.1");
    await until("back", () => server.messages.length === 200);
  });

  test("a port that is taken is an error that says so", async (t) => {
    const server = station(t);
    const { port } = await server.layer.listen(udp);
    await assert.rejects(server.layer.listen({ ...udp, port }), { code: "EADDRINUSE" });
  });
}
