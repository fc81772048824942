import { addressBytes, type SocketEnd } from "../socket-end.ts";

export interface HepPacket {
  /** IP protocol number: 17 UDP, 6 TCP, 132 SCTP. */
  readonly transport: number;
  readonly source: SocketEnd;
  readonly destination: SocketEnd;
  /** ms since the epoch, with fractions. */
  readonly time: number;
  /** What the payload is: see `HEP_PROTOCOL`. */
  readonly protocol: number;
  readonly captureId: number;
  /** "": none. */
  readonly key: string;
  /** "": none. */
  readonly correlation: string;
  readonly payload: Uint8Array;
}

/** Capture protocol types of the HEP3 specification (chunk 0x000b). What is carried of Diameter is JSON. */
export const HEP_PROTOCOL = { sip: 0x01, diameterJson: 0x38 } as const;

/** Longest payload: lengths have 16 bits, a datagram 65,507 octets. */
export const LONGEST_HEP_PAYLOAD = 65_000;

const AF_INET = 2;
const AF_INET6 = 10;
/** Generic chunk types, vendor 0x0000. */
const Chunk = {
  family: 0x01,
  transport: 0x02,
  source4: 0x03,
  destination4: 0x04,
  source6: 0x05,
  destination6: 0x06,
  sourcePort: 0x07,
  destinationPort: 0x08,
  seconds: 0x09,
  microseconds: 0x0a,
  protocol: 0x0b,
  captureId: 0x0c,
  key: 0x0e,
  payload: 0x0f,
  correlation: 0x11,
} as const;
/** Vendor, type and length of a chunk. */
const HEAD = 6;

/** A packet of the Homer Encapsulation Protocol, version 3. */
export function encodeHep3(packet: HepPacket): Buffer {
  const { source, destination, payload } = packet;
  const v6 = source.family === 6 || destination.family === 6;
  const addressLength = v6 ? 16 : 4;
  const key = Buffer.from(packet.key);
  const correlation = Buffer.from(packet.correlation);
  const fixed = HEAD + 2 * (HEAD + 1) + 2 * (HEAD + addressLength) + 2 * (HEAD + 2);
  const optional = [key, correlation].reduce(
    (sum, { length }) => sum + (length === 0 ? 0 : HEAD + length),
    0,
  );
  const length = fixed + 3 * (HEAD + 4) + (HEAD + 1) + optional + HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes.write("HEP3", 0, "latin1");
  bytes.writeUInt16BE(length, 4);
  let at = 6;
  const chunk = (type: number, size: number): number => {
    bytes.writeUInt16BE(0, at);
    bytes.writeUInt16BE(type, at + 2);
    bytes.writeUInt16BE(HEAD + size, at + 4);
    const value = at + HEAD;
    at = value + size;
    return value;
  };
  const octets = (type: number, value: Uint8Array): void => bytes.set(value, chunk(type, value.length));
  bytes.writeUInt8(v6 ? AF_INET6 : AF_INET, chunk(Chunk.family, 1));
  bytes.writeUInt8(packet.transport, chunk(Chunk.transport, 1));
  octets(v6 ? Chunk.source6 : Chunk.source4, addressBytes(source, v6));
  octets(v6 ? Chunk.destination6 : Chunk.destination4, addressBytes(destination, v6));
  bytes.writeUInt16BE(source.port, chunk(Chunk.sourcePort, 2));
  bytes.writeUInt16BE(destination.port, chunk(Chunk.destinationPort, 2));
  const seconds = Math.floor(packet.time / 1000);
  bytes.writeUInt32BE(seconds, chunk(Chunk.seconds, 4));
  const microseconds = Math.min(999_999, Math.round((packet.time - seconds * 1000) * 1000));
  bytes.writeUInt32BE(microseconds, chunk(Chunk.microseconds, 4));
  bytes.writeUInt8(packet.protocol, chunk(Chunk.protocol, 1));
  bytes.writeUInt32BE(packet.captureId, chunk(Chunk.captureId, 4));
  if (key.length > 0) octets(Chunk.key, key);
  if (correlation.length > 0) octets(Chunk.correlation, correlation);
  octets(Chunk.payload, payload);
  return bytes;
}
