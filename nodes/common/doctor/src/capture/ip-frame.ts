import { addressBytes, type SocketEnd } from "@ims/runtime";

/** A message between two, as a frame of the network layer shall carry it. */
export interface Carried {
  readonly source: SocketEnd;
  readonly destination: SocketEnd;
  readonly payload: Uint8Array;
}

const TCP = 6;
const UDP = 17;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
/** RFC 791 §3.1: the length of a packet has 16 bits. */
const LONGEST_PAYLOAD = 65_535 - IPV4_HEADER - TCP_HEADER;

/** An IP packet with a UDP datagram. What is too long for one is cut. */
export function udpFrame(carried: Carried): Buffer {
  const { source, destination } = carried;
  const payload = carried.payload.subarray(0, LONGEST_PAYLOAD);
  const segment = Buffer.alloc(UDP_HEADER + payload.length);
  segment.writeUInt16BE(source.port, 0);
  segment.writeUInt16BE(destination.port, 2);
  segment.writeUInt16BE(segment.length, 4);
  segment.set(payload, UDP_HEADER);
  return packet(carried, UDP, segment, 6);
}

/** TCP connections made up around messages: each continues where the one before it in its direction ended. */
export class TcpFrames {
  readonly #next = new Map<string, number>();

  frame(carried: Carried): Buffer {
    const { source, destination } = carried;
    const payload = carried.payload.subarray(0, LONGEST_PAYLOAD);
    const [there, back] = [
      `${nameOf(source)} ${nameOf(destination)}`,
      `${nameOf(destination)} ${nameOf(source)}`,
    ];
    const sequence = this.#next.get(there) ?? 1;
    this.#next.set(there, (sequence + payload.length) >>> 0);
    const segment = Buffer.alloc(TCP_HEADER + payload.length);
    segment.writeUInt16BE(source.port, 0);
    segment.writeUInt16BE(destination.port, 2);
    segment.writeUInt32BE(sequence, 4);
    segment.writeUInt32BE(this.#next.get(back) ?? 1, 8);
    segment.writeUInt8((TCP_HEADER / 4) << 4, 12);
    segment.writeUInt8(0x18, 13); // PSH, ACK
    segment.writeUInt16BE(65_535, 14);
    segment.set(payload, TCP_HEADER);
    return packet(carried, TCP, segment, 16);
  }
}

function nameOf({ address, port }: SocketEnd): string {
  return `${Buffer.from(address).toString("hex")}:${port}`;
}

/** RFC 791, RFC 8200; `checksumAt`: where that of the segment goes. */
function packet(
  { source, destination }: Carried,
  protocol: number,
  segment: Buffer,
  checksumAt: number,
): Buffer {
  const v6 = source.family === 6 || destination.family === 6;
  const [from, to] = [addressBytes(source, v6), addressBytes(destination, v6)];
  const header = Buffer.alloc(v6 ? IPV6_HEADER : IPV4_HEADER);
  if (v6) {
    header.writeUInt32BE(0x6000_0000, 0);
    header.writeUInt16BE(segment.length, 4);
    header.writeUInt8(protocol, 6);
    header.writeUInt8(64, 7);
    header.set(from, 8);
    header.set(to, 24);
  } else {
    header.writeUInt16BE(0x4500, 0);
    header.writeUInt16BE(IPV4_HEADER + segment.length, 2);
    header.writeUInt16BE(0x4000, 6); // don't fragment
    header.writeUInt8(64, 8);
    header.writeUInt8(protocol, 9);
    header.set(from, 12);
    header.set(to, 16);
    header.writeUInt16BE(checksum(header), 10);
  }
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(segment.length, 0);
  pseudo.writeUInt32BE(protocol, 4);
  const sum = checksum(Buffer.concat([from, to, pseudo, segment]));
  // RFC 768: 0 would say that there is none.
  segment.writeUInt16BE(sum === 0 && protocol === UDP ? 0xffff : sum, checksumAt);
  return Buffer.concat([header, segment]);
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
