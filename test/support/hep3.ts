import assert from "node:assert/strict";

/** A HEP3 packet as a collector reads it: the generic chunks of the specification (vendor 0). */
export interface Hep3 {
  /** IP protocol number. */
  readonly transport: number;
  readonly source: string;
  readonly destination: string;
  /** ms since the epoch. */
  readonly time: number;
  readonly protocol: number;
  readonly captureId: number;
  readonly correlation: string;
  readonly payload: string;
}

export function hep3Of(packet: Buffer): Hep3 {
  assert.equal(packet.toString("latin1", 0, 4), "HEP3");
  assert.equal(packet.readUInt16BE(4), packet.length);
  const chunks = new Map<number, Buffer>();
  for (let at = 6; at < packet.length; ) {
    const length = packet.readUInt16BE(at + 4);
    assert.ok(length >= 6 && at + length <= packet.length, `a chunk of ${length} octets`);
    assert.equal(packet.readUInt16BE(at), 0, "vendor");
    chunks.set(packet.readUInt16BE(at + 2), packet.subarray(at + 6, at + length));
    at += length;
  }
  const chunk = (type: number): Buffer => chunks.get(type) ?? assert.fail(`no chunk ${type}`);
  assert.equal(chunk(1).readUInt8(), 2, "IPv4");
  const end = (address: number, port: number): string =>
    `${chunk(address).join(".")}:${chunk(port).readUInt16BE()}`;
  return {
    transport: chunk(2).readUInt8(),
    source: end(3, 7),
    destination: end(4, 8),
    time: chunk(9).readUInt32BE() * 1000 + chunk(10).readUInt32BE() / 1000,
    protocol: chunk(11).readUInt8(),
    captureId: chunk(12).readUInt32BE(),
    correlation: chunks.get(17)?.toString() ?? "",
    payload: chunk(15).toString("latin1"),
  };
}
