import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangeOf, type NodeStep, pcapng } from "@ims/doctor";

const T0 = Date.UTC(2026, 0, 1);

function step(more: Partial<NodeStep> & Pick<NodeStep, "sequence" | "direction">): NodeStep {
  const ends = { protocol: "UDP", local: "[2001:db8::1]:5060", remote: "[2001:db8::2]:5070" };
  return {
    node: "bono",
    time: T0 + more.sequence,
    kind: "sip",
    title: "OPTIONS",
    callId: "c1",
    ends,
    ...more,
  };
}

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** Blocks of a little-endian section; each says its length twice. */
function blocksIn(bytes: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    assert.equal(length % 4, 0);
    assert.equal(bytes.readUInt32LE(at + length - 4), length);
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** RFC 1071: over what carries its checksum it is 0xffff. */
function sumOf(...parts: readonly Buffer[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

function pseudo(length: number, protocol: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(protocol, 4);
  return bytes;
}

test("pcapng: blocks of a section, an interface for each node, times in microseconds, decisions as comments", () => {
  const text = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 400\r\n\r\n<hidden>";
  const exchange = exchangeOf([
    step({ sequence: 1, direction: "in", text, time: T0 + 0.123 }),
    step({ sequence: 2, direction: "", kind: "decision", title: "ENUM: found nothing", time: T0 + 1 }),
    step({ sequence: 3, direction: "out", text: "SIP/2.0 200 OK\r\n\r\n", node: "sprout", time: T0 + 2 }),
    step({
      sequence: 4,
      direction: "out",
      text: "lost",
      ends: { protocol: "TCP", local: ":undefined", remote: "" },
    }),
  ]);
  const { bytes, messages } = pcapng([exchange, exchange], "Tidewater");
  assert.equal(messages, 2);
  const blocks = blocksIn(bytes);
  assert.deepEqual(
    blocks.map(({ type }) => type),
    [0x0a0d0d0a, 1, 6, 1, 6],
  );
  assert.equal(blocks[0]?.body.readUInt32LE(0), 0x1a2b3c4d);
  const [first, second] = blocks.filter(({ type }) => type === 6).map(({ body }) => body);
  assert.ok(first && second);
  assert.deepEqual([first.readUInt32LE(0), second.readUInt32LE(0)], [0, 1]);
  const micros = (BigInt(first.readUInt32LE(4)) << 32n) | BigInt(first.readUInt32LE(8));
  assert.equal(micros, BigInt(T0) * 1000n + 123n);
  assert.match(second.toString("latin1"), /bono, decision: ENUM: found nothing/);

  const frame = first.subarray(20, 20 + first.readUInt32LE(12));
  assert.equal(frame[0], 0x60);
  assert.equal(frame.subarray(8, 40).toString("hex"), `20010db8${"0".repeat(23)}220010db8${"0".repeat(23)}1`);
  const segment = frame.subarray(40);
  assert.deepEqual([segment.readUInt16BE(0), segment.readUInt16BE(2)], [5_070, 5_060]);
  assert.equal(sumOf(frame.subarray(8, 40), pseudo(segment.length, 17), segment), 0xffff);
  assert.equal(segment.toString("latin1", 8), "OPTIONS sip:a SIP/2.0\r\nContent-Length: 8\r\n\r\n<hidden>");
});

test("pcapng: Diameter is in TCP segments that follow each other in each direction", () => {
  const ends = { protocol: "TCP", local: "192.0.2.1:40000", remote: "192.0.2.3:3868" };
  const octets = (length: number): string => Buffer.alloc(length, 1).toString("base64");
  const exchange = exchangeOf([
    step({ sequence: 1, direction: "out", kind: "cx", ends, octets: octets(101) }),
    step({ sequence: 2, direction: "in", kind: "cx", ends, octets: octets(50) }),
    step({ sequence: 3, direction: "out", kind: "cx", ends, octets: octets(20) }),
  ]);
  const frames = blocksIn(pcapng([exchange], "Tidewater").bytes)
    .filter(({ type }) => type === 6)
    .map(({ body }) => body.subarray(20, 20 + body.readUInt32LE(12)));
  assert.deepEqual(
    frames.map((frame) => [frame.readUInt32BE(24), frame.readUInt32BE(28), frame.length]),
    [
      [1, 1, 141],
      [1, 102, 90],
      [102, 51, 60],
    ],
  );
  for (const frame of frames) {
    assert.equal(frame[0], 0x45);
    assert.equal(sumOf(frame.subarray(0, 20)), 0xffff);
    assert.equal(sumOf(frame.subarray(12, 20), pseudo(frame.length - 20, 6), frame.subarray(20)), 0xffff);
  }
});
