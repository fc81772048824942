import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { metricsRegister, Trail, type TrailReader } from "@ims/runtime";
import { hepAddressOf } from "../../src/trail/hep/hep-collector.ts";
import { hepExport } from "../../src/trail/hep/hep-export.ts";
import { encodeHep3 } from "../../src/trail/hep/hep3.ts";
import { samplingOf } from "../../src/trail/sampling.ts";
import { socketEndOf } from "../../src/trail/socket-end.ts";
import { type FakeClock, fakeClock, memoryLogger } from "../../testing/index.ts";

const ORIGIN = Date.UTC(2026, 0, 1);
const ENDS = { protocol: "TCP", local: "192.0.2.1:5054", remote: "192.0.2.9:41093" };
const V6 = { protocol: "UDP", local: "[2001:db8::1]:5060", remote: "[2001:db8:0:1::ff]:5070" };

/** Chunks of a HEP3 packet by vendor and type, as the specification lays them out. */
function chunksOf(packet: Buffer): Map<string, Buffer> {
  assert.equal(packet.toString("latin1", 0, 4), "HEP3");
  assert.equal(packet.readUInt16BE(4), packet.length);
  const chunks = new Map<string, Buffer>();
  for (let at = 6; at < packet.length; ) {
    const length = packet.readUInt16BE(at + 4);
    assert.ok(length >= 6 && at + length <= packet.length);
    const name = `${packet.readUInt16BE(at)}:${packet.readUInt16BE(at + 2)}`;
    assert.ok(!chunks.has(name), name);
    chunks.set(name, packet.subarray(at + 6, at + length));
    at += length;
  }
  return chunks;
}

/** Whole packets at the beginning of a stream. */
function packetsIn(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at + 6 <= bytes.length && at + bytes.readUInt16BE(at + 4) <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 4);
    packets.push(bytes.subarray(at, at + length));
    at += length;
  }
  return packets;
}

/** "Call-ID ICID rest" */
const reader: TrailReader = {
  read(bytes) {
    const [callId = "", icid = ""] = bytes.toString("latin1").split(" ");
    if (callId === "broken") throw new Error("broken");
    return {
      kind: "cx",
      title: "UAR",
      session: callId,
      icid: icid === "-" ? undefined : icid,
      octets: "AAAA",
    };
  },
};

interface Started {
  readonly trail: Trail;
  readonly sip: number;
  readonly diameter: number;
  readonly clock: FakeClock;
  /** By the labels of a counter, as `name{label}`. */
  counted(name: string, label: string): Promise<number>;
}

async function start(
  t: TestContext,
  collector: string,
  more: { sample?: number; rate?: number; key?: string; share?: number } = {},
): Promise<Started> {
  const clock = fakeClock();
  const trail = new Trail({ bytes: 1_000_000, steps: 1_000, clock, origin: () => ORIGIN });
  const [sip, diameter] = [trail.addReader("sip", reader), trail.addReader("diameter", reader)];
  const register = metricsRegister();
  const address = hepAddressOf(collector) ?? assert.fail(collector);
  const { share = 1, ...asked } = more;
  const options = { address, captureId: 7, key: "", sample: 1, rate: 1_000_000, ...asked };
  const service = hepExport(options, { trail, spare: { share }, clock, register, log: memoryLogger() });
  await service.start();
  t.after(() => service.stop());
  return {
    ...{ trail, sip, diameter, clock },
    async counted(name, label) {
      const line = (await register.scrape())
        .split("\n")
        .find((one) => one.startsWith(`${name}{`) && one.includes(`"${label}"`));
      return Number(line?.split(" ").at(-1) ?? Number.NaN);
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition()); ) {
    assert.ok(Date.now() < end, "still waiting");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const DROPPED = "ims_hep_messages_dropped_total";
const SENT = "ims_hep_messages_sent_total";

test("HEP3: a packet has the generic chunks, IPv4 and IPv6, golden bytes", () => {
  const [source, destination] = [socketEndOf("192.0.2.1:5060"), socketEndOf("198.51.100.2:5080")];
  assert.ok(source && destination);
  const packet = encodeHep3({
    ...{ transport: 17, source, destination, time: 1_767_225_600_123.456, protocol: 1 },
    ...{ captureId: 2001, key: "", correlation: "c1", payload: Buffer.from("hi") },
  });
  assert.equal(
    packet.toString("hex"),
    [
      "48455033006d",
      "000000010007" + "02",
      "000000020007" + "11",
      "00000003000a" + "c0000201",
      "00000004000a" + "c6336402",
      "000000070008" + "13c4",
      "000000080008" + "13d8",
      "00000009000a" + "6955b900",
      "0000000a000a" + "0001e240",
      "0000000b0007" + "01",
      "0000000c000a" + "000007d1",
      "000000110008" + "6331",
      "0000000f0008" + "6869",
    ].join(""),
  );
  const [six, four] = [socketEndOf("[2001:db8::ff]:1"), socketEndOf("192.0.2.1:2")];
  assert.ok(six && four);
  const mixed = chunksOf(
    encodeHep3({
      ...{ transport: 6, source: six, destination: four, time: 0, protocol: 1 },
      ...{ captureId: 0, key: "k", correlation: "", payload: Buffer.alloc(0) },
    }),
  );
  assert.equal(mixed.get("0:1")?.readUInt8(), 10);
  assert.equal(mixed.get("0:5")?.toString("hex"), "20010db80000000000000000000000ff");
  assert.equal(mixed.get("0:6")?.toString("hex"), "00000000000000000000ffffc0000201");
  assert.equal(mixed.get("0:14")?.toString(), "k");
  assert.ok(!mixed.has("0:17"));
});

test("addresses and collectors are read as they are written, nothing else is", () => {
  assert.deepEqual(socketEndOf("[::ffff:192.0.2.1]:5"), socketEndOf("192.0.2.1:5"));
  assert.deepEqual(
    Buffer.from(socketEndOf("[fe80::1%eth0]:5")?.address ?? []).toString("hex"),
    `fe80${"0".repeat(27)}1`,
  );
  assert.deepEqual(
    Buffer.from(socketEndOf("[64:ff9b::192.0.2.1]:5")?.address ?? []).toString("hex"),
    "0064ff9b0000000000000000c0000201",
  );
  for (const text of ["", "192.0.2.1", "host:5060", "192.0.2.1:99999", "[2001:db8::1]", "::1:x"])
    assert.equal(socketEndOf(text), undefined, text);
  assert.deepEqual(hepAddressOf("udp:homer.example:9060"), {
    transport: "udp",
    host: "homer.example",
    port: 9060,
  });
  assert.deepEqual(hepAddressOf("tcp:[2001:db8::1]:9061"), {
    transport: "tcp",
    host: "2001:db8::1",
    port: 9061,
  });
  for (const text of ["", "homer:9060", "udp:homer", "udp:homer:0", "tls:homer:9060", "udp:ho mer:9060"])
    assert.equal(hepAddressOf(text), undefined, text);
});

test("a UDP collector is told of each message: who to whom, when, which call; Diameter as JSON without its octets", async (t) => {
  const server = createSocket("udp4");
  const packets: Buffer[] = [];
  server.on("message", (packet) => packets.push(packet));
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { trail, sip, diameter, clock, counted } = await start(t, `udp:127.0.0.1:${server.address().port}`, {
    key: "k",
  });
  await until(async () => {
    trail.text(sip, "in", ENDS, "warm - up");
    await new Promise((resolve) => setTimeout(resolve, 5));
    return packets.length > 0;
  });
  await until(async () => packets.length === (await counted(SENT, "sip")));
  packets.length = 0;
  clock.advance(1_500.25);
  trail.text(sip, "in", ENDS, "c1 i1 INVITE");
  trail.text(sip, "out", V6, "c2 - 200");
  trail.text(diameter, "out", ENDS, "s;1 - UAR");
  trail.decided("c1", "ENUM", {});
  trail.text(sip, "in", { ...ENDS, local: "?:0" }, "c1 i1 nowhere");
  trail.text(diameter, "in", ENDS, "broken");
  await until(() => packets.length === 3);
  const [invite, answer, uar] = packets.map(chunksOf);
  assert.ok(invite && answer && uar);
  assert.deepEqual(
    ["0:3", "0:4"].map((name) => invite.get(name)?.join(".")),
    ["192.0.2.9", "192.0.2.1"],
  );
  assert.deepEqual([invite.get("0:7")?.readUInt16BE(), invite.get("0:8")?.readUInt16BE()], [41_093, 5_054]);
  assert.deepEqual([invite.get("0:2")?.readUInt8(), answer.get("0:2")?.readUInt8()], [6, 17]);
  assert.equal(invite.get("0:9")?.readUInt32BE(), ORIGIN / 1000 + 1);
  assert.equal(invite.get("0:10")?.readUInt32BE(), 500_250);
  assert.deepEqual([invite.get("0:12")?.readUInt32BE(), invite.get("0:14")?.toString()], [7, "k"]);
  assert.deepEqual([invite.get("0:17")?.toString(), answer.get("0:17")?.toString()], ["i1", "c2"]);
  assert.equal(invite.get("0:15")?.toString(), "c1 i1 INVITE");
  assert.equal(answer.get("0:6")?.toString("hex"), "20010db80000000100000000000000ff");
  assert.equal(uar.get("0:11")?.readUInt8(), 0x38);
  assert.deepEqual(JSON.parse(uar.get("0:15")?.toString() ?? ""), {
    title: "UAR",
    kind: "cx",
    session: "s;1",
  });
  assert.equal(await counted(DROPPED, "failed"), 2);
});

test("a collector that hangs costs nothing but what it is not told: the queue is bounded, and what it gets is whole", async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.pause()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { trail, sip, counted } = await start(t, `tcp:127.0.0.1:${port}`);
  const message = `c1 - ${"x".repeat(20_000)}`;
  await until(async () => {
    trail.text(sip, "in", ENDS, message);
    return (await counted(SENT, "sip")) > 0;
  });
  const before = process.memoryUsage().external;
  for (let round = 0; round < 200; round++) {
    for (let one = 0; one < 20; one++) trail.text(sip, "in", ENDS, message);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok((await counted(DROPPED, "queue")) > 1_000, `${await counted(DROPPED, "queue")}`);
  assert.ok(process.memoryUsage().external - before < 20_000_000);
  const sent = await counted(SENT, "sip");
  let bytes = Buffer.alloc(0);
  const parts: Buffer[] = [];
  sockets[0]?.on("data", (part: Buffer) => parts.push(part)).resume();
  await until(() => {
    bytes = Buffer.concat(parts);
    return packetsIn(bytes).length === sent;
  });
  for (const packet of packetsIn(bytes)) assert.equal(chunksOf(packet).get("0:15")?.length, message.length);
});

test("a collector that is gone is tried again, ever more slowly; until then messages are counted and forgotten", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const { trail, sip, clock, counted } = await start(t, `tcp:127.0.0.1:${port}`);
  trail.text(sip, "in", ENDS, "c1 - one");
  assert.equal(await counted(DROPPED, "away"), 1);
  await until(() => clock.pending() === 1);
  const back = createServer((socket) => socket.resume());
  t.after(() => back.close());
  back.listen(port, "127.0.0.1");
  await once(back, "listening");
  const connected = once(back, "connection") as Promise<[Socket]>;
  clock.advance(500);
  const [socket] = await connected;
  t.after(() => socket.destroy());
  await until(async () => {
    trail.text(sip, "in", ENDS, "c1 - two");
    return (await counted(SENT, "sip")) > 0;
  });
});

test("sampling takes whole calls, the same at every node; a rate bounds what is told", async (t) => {
  const calls = Array.from({ length: 2_000 }, (_, index) => `${index}@192.0.2.1`);
  const isSampled = (callId: string, sample: number): boolean => samplingOf(callId, sample, 1) === "told";
  const share = calls.filter((callId) => isSampled(callId, 0.25)).length / calls.length;
  assert.ok(Math.abs(share - 0.25) < 0.04, `${share}`);
  assert.deepEqual(
    calls.filter((callId) => isSampled(callId, 0.1) && !isSampled(callId, 0.25)),
    [],
  );
  assert.ok(calls.every((callId) => isSampled(callId, 1) && !isSampled(callId, 0)));

  const { trail, sip, clock, counted } = await start(t, "tcp:127.0.0.1:9", { rate: 10 });
  for (let one = 0; one < 30; one++) trail.text(sip, "in", ENDS, "c1 - x");
  assert.deepEqual([await counted(DROPPED, "away"), await counted(DROPPED, "rate")], [10, 20]);
  clock.advance(500);
  for (let one = 0; one < 30; one++) trail.text(sip, "in", ENDS, "c1 - x");
  assert.deepEqual([await counted(DROPPED, "away"), await counted(DROPPED, "rate")], [15, 45]);

  const quarter = await start(t, "tcp:127.0.0.1:9", { sample: 0.25 });
  for (const callId of calls.slice(0, 400)) quarter.trail.text(quarter.sip, "in", ENDS, `${callId} - x`);
  const expected = calls.slice(0, 400).filter((callId) => isSampled(callId, 0.25)).length;
  assert.equal(await quarter.counted(DROPPED, "away"), expected);
});

test("a busy node leaves out whole calls of those that are sampled, and counts them", async (t) => {
  const calls = Array.from({ length: 400 }, (_, index) => `${index}@192.0.2.1`);
  const busy = await start(t, "tcp:127.0.0.1:9", { sample: 0.5, share: 0.5 });
  for (const callId of calls) busy.trail.text(busy.sip, "in", ENDS, `${callId} - x`);
  const count = (sample: number): number =>
    calls.filter((callId) => samplingOf(callId, sample, 1) === "told").length;
  assert.equal(await busy.counted(DROPPED, "away"), count(0.25));
  assert.equal(await busy.counted(DROPPED, "busy"), count(0.5) - count(0.25));
});
