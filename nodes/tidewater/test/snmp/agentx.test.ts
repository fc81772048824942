import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { MibView } from "../../src/snmp/agentx/mib-view.ts";
import { compareOids, oidOf } from "../../src/snmp/agentx/oid.ts";
import {
  HEADER_LENGTH,
  MAX_PAYLOAD,
  openPdu,
  readHeader,
  readRequest,
  registerPdu,
  responsePdu,
} from "../../src/snmp/agentx/pdu.ts";
import { PduError } from "../../src/snmp/agentx/reader.ts";
import { SubAgent } from "../../src/snmp/agentx/sub-agent.ts";
import { octets, type VarBind } from "../../src/snmp/agentx/value.ts";

const IDS = { sessionId: 7, transactionId: 8, packetId: 9 };
const hex = (bytes: Buffer): string => bytes.toString("hex");

/** RFC 2741 §6.1, as a little-endian master writes it. */
function fromMaster(type: number, flags: number, payload: Buffer, packetId = 5): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.set([1, type, flags, 0]);
  header.writeUInt32LE(7, 4);
  header.writeUInt32LE(8, 8);
  header.writeUInt32LE(packetId, 12);
  header.writeUInt32LE(payload.length, 16);
  return Buffer.concat([header, payload]);
}

function oidBytes(prefix: number, include: number, ...parts: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * parts.length);
  bytes.set([parts.length, prefix, include, 0]);
  for (const [at, part] of parts.entries()) bytes.writeUInt32LE(part, 4 + 4 * at);
  return bytes;
}

test("RFC 2741 §6.2.1, §6.2.3: Open and Register, octet by octet", () => {
  assert.equal(
    hex(openPdu(IDS, "abcde")),
    "01011000" +
      "00000007" +
      "00000008" +
      "00000009" +
      "00000014" +
      "00000000" +
      "00000000" +
      "00000005" +
      "6162636465000000",
  );
  assert.equal(
    hex(registerPdu(IDS, [1, 3, 6])),
    "01031000" +
      "00000007" +
      "00000008" +
      "00000009" +
      "00000014" +
      "007f0000" +
      "03000000" +
      "000000010000000300000006",
  );
});

test("RFC 2741 §5.4, §6.2.16: a Response has a type and a padded value for each variable", () => {
  const varBinds: readonly VarBind[] = [
    { name: [1, 3], value: { type: "integer", value: -2 } },
    { name: [1, 3], value: octets("hi") },
    { name: [1, 3], value: { type: "noSuchInstance" } },
  ];
  const name = "02000000" + "00000001" + "00000003";
  assert.equal(
    hex(responsePdu(IDS, 0, { varBinds })).slice(2 * HEADER_LENGTH),
    `${"00000000" + "00000000"}00020000${name}fffffffe00040000${name}000000026869000000810000${name}`,
  );
});

test("RFC 2741 §5.1, §5.2: requests are read in either byte order, with a prefix, include and context", () => {
  const payload = Buffer.concat([
    oidBytes(2, 1, 1, 118),
    oidBytes(0, 0),
    oidBytes(0, 0, 1, 3),
    oidBytes(2, 0, 1, 119),
  ]);
  const read = (bytes: Buffer): unknown => readRequest(readHeader(bytes), bytes.subarray(HEADER_LENGTH));
  const ranges = [
    { start: oidOf("1.3.6.1.2.1.118"), include: true, end: [] },
    { start: [1, 3], include: false, end: oidOf("1.3.6.1.2.1.119") },
  ];
  assert.deepEqual(read(fromMaster(6, 0, payload)), { type: "getNext", ranges });
  const context = Buffer.from([3, 0, 0, 0, 0x61, 0x62, 0x63, 0]);
  assert.deepEqual(read(fromMaster(5, 0x08, Buffer.concat([context, payload]))), { type: "get", ranges });
  const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap32();
  const bulk = Buffer.concat([Buffer.from([0, 1, 0, 50]), payload]);
  // Octet fields stand as they are: only the four words of numbers are turned.
  const header = fromMaster(7, 0x10, Buffer.alloc(0));
  header.set(swapped(header.subarray(4)), 4);
  header.writeUInt32BE(bulk.length, 16);
  const bigEndian = Buffer.from(payload);
  for (const at of [4, 8, 20, 24, 32, 36]) bigEndian.set(swapped(bigEndian.subarray(at, at + 4)), at);
  assert.deepEqual(read(Buffer.concat([header, Buffer.from([0, 1, 0, 50]), bigEndian])), {
    type: "getBulk",
    nonRepeaters: 1,
    maxRepetitions: 50,
    ranges,
  });
});

test("what is no AgentX, ends early or would be too long is refused", () => {
  const read = (bytes: Buffer): unknown => readRequest(readHeader(bytes), bytes.subarray(HEADER_LENGTH));
  const wrong = [
    Buffer.alloc(HEADER_LENGTH),
    fromMaster(5, 0, Buffer.from([200, 0, 0, 0])),
    fromMaster(5, 0, oidBytes(0, 0, 1, 2).subarray(0, 8)),
    fromMaster(5, 0x08, Buffer.from([255, 255, 255, 255])),
    fromMaster(7, 0, Buffer.alloc(0)),
  ];
  const long = fromMaster(5, 0, Buffer.alloc(0));
  long.writeUInt32LE(MAX_PAYLOAD + 4, 16);
  for (const bytes of [...wrong, long]) assert.throws(() => read(bytes), PduError, hex(bytes));
});

test("RFC 2741 §7.2.3: objects are found by name, by range and in bulk, in lexicographical order", () => {
  const name = (text: string): readonly number[] => oidOf(text);
  const view = new MibView(
    ["1.3.10", "1.3.2", "1.3.2.1"].map((text) => ({ name: name(text), value: octets(text) })),
  );
  const shown = ({ name: of, value }: VarBind): string => `${of.join(".")} ${value.type}`;
  assert.equal(shown(view.get(name("1.3.2"))), "1.3.2 octets");
  assert.equal(shown(view.get(name("1.3.3"))), "1.3.3 noSuchInstance");
  const next = (start: string, include = false, end: readonly number[] = []): string =>
    shown(view.next({ start: name(start), include, end }));
  assert.equal(next("1.3.2", true), "1.3.2 octets");
  assert.equal(next("1.3.2"), "1.3.2.1 octets");
  assert.equal(next("1.3.2.1"), "1.3.10 octets");
  assert.equal(next("1.3.2.1", false, name("1.3.10")), "1.3.2.1 endOfMibView");
  assert.equal(next("1.3.10"), "1.3.10 endOfMibView");
  const range = { start: name("1.3"), include: false, end: [] };
  assert.deepEqual(view.bulk([range, range], 1, 5).map(shown), [
    "1.3.2 octets",
    "1.3.2 octets",
    "1.3.2.1 octets",
    "1.3.10 octets",
    "1.3.10 endOfMibView",
  ]);
  assert.ok(compareOids([1, 3], [1, 3, 0]) < 0 && compareOids([1, 10], [1, 9, 9]) > 0);
});

interface Master {
  readonly port: number;
  readonly pdus: { type: number; packetId: number }[];
  readonly sockets: Socket[];
  until(count: number): Promise<void>;
}

/** A master that says yes to everything. */
async function startMaster(t: TestContext): Promise<Master> {
  const pdus: Master["pdus"] = [];
  const sockets: Socket[] = [];
  let wake: () => void = () => undefined;
  const server = createServer((socket) => {
    sockets.push(socket);
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= HEADER_LENGTH) {
        const header = readHeader(received);
        const { type, packetId, payloadLength } = header;
        if (received.length < HEADER_LENGTH + payloadLength) break;
        received = received.subarray(HEADER_LENGTH + payloadLength);
        pdus.push({ type, packetId });
        if (type !== 18) socket.write(fromMaster(18, 0, Buffer.alloc(8), packetId));
        wake();
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    ...{ pdus, sockets },
    async until(count) {
      while (pdus.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

test("a sub-agent opens, registers, notifies and answers, however the stream is cut; and connects again", {
  timeout: 30_000,
}, async (t) => {
  const master = await startMaster(t);
  const states: boolean[] = [];
  const agent = new SubAgent({
    master: { host: "127.0.0.1", port: master.port },
    description: "test",
    subtrees: [oidOf("1.3.6.1.2.1.118"), oidOf("1.3.6.1.2.1.121")],
    clock: systemClock(),
    log: memoryLogger("silent"),
    view: () => new MibView([{ name: oidOf("1.3.6.1.2.1.118.1"), value: octets("x") }]),
    onState: (connected) => states.push(connected),
  });
  t.after(() => agent.stop());
  // Kept until there is a master.
  agent.notify([{ name: oidOf("1.3"), value: octets("early") }]);
  agent.start();
  await master.until(4);
  assert.deepEqual(
    master.pdus.map(({ type }) => type),
    [1, 3, 3, 12],
  );
  const [socket] = master.sockets;
  const get = fromMaster(5, 0, Buffer.concat([oidBytes(2, 0, 1, 118, 1), oidBytes(0, 0)]), 77);
  for (const byte of get) socket?.write(Buffer.from([byte]));
  socket?.write(
    Buffer.concat([fromMaster(8, 0, Buffer.alloc(0), 78), fromMaster(11, 0, Buffer.alloc(0), 79), get]),
  );
  await master.until(7);
  assert.deepEqual(
    master.pdus.slice(4).map(({ packetId }) => packetId),
    [77, 78, 77],
    "CleanupSet has no response",
  );
  // Rubbish from a master is the end of that connection, not of the process.
  socket?.write(Buffer.alloc(40));
  await master.until(10);
  assert.deepEqual(
    master.pdus.slice(7).map(({ type }) => type),
    [1, 3, 3],
  );
  assert.deepEqual(states.slice(0, 2), [true, false]);
});
