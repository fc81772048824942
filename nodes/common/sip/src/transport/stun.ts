import { isIPv4 } from "node:net";
import { crc32 } from "node:zlib";

const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;
const FINGERPRINT = 0x8028;
const FINGERPRINT_XOR = 0x5354554e;

/** RFC 8489 §5: two zero bits and the magic cookie; on a SIP port nothing else begins so (RFC 5626 §8). */
export function isStun(datagram: Buffer): boolean {
  const size = datagram.length;
  return (
    size >= 20 &&
    (datagram[0] ?? 0xff) < 0x40 &&
    datagram.readUInt32BE(4) === MAGIC_COOKIE &&
    datagram.readUInt16BE(2) === size - 20 &&
    size % 4 === 0
  );
}

/**
 * The answer to a Binding request that came from this address and port, undefined when none is due: indications,
 * responses, broken attributes, wrong FINGERPRINT (RFC 8489 §6.3, RFC 5626 §4.4.2).
 */
export function stunResponse(request: Buffer, address: string, port: number): Buffer | undefined {
  if (request.readUInt16BE(0) !== BINDING_REQUEST) return undefined;
  const unknown: number[] = [];
  let fingerprint = false;
  let at = 20;
  while (at < request.length) {
    if (fingerprint) return undefined; // RFC 8489 §14.7: it is the last one.
    const type = request.readUInt16BE(at);
    const length = request.readUInt16BE(at + 2);
    const next = at + 4 + ((length + 3) & ~3);
    if (next > request.length) return undefined;
    if (type === FINGERPRINT) {
      if (length !== 4 || request.readUInt32BE(at + 4) !== fingerprintOf(request.subarray(0, at)))
        return undefined;
      fingerprint = true;
    } else if (type < 0x8000 && !understood.has(type)) unknown.push(type);
    at = next;
  }
  const body = unknown.length > 0 ? unknownAttributes(unknown) : mappedAddress(request, address, port);
  const type = unknown.length > 0 ? BINDING_ERROR : BINDING_SUCCESS;
  return message(type, request.subarray(4, 20), body, fingerprint);
}

// USERNAME, MESSAGE-INTEGRITY, REALM, NONCE: the usage asks for no credentials, so they may be there and mean nothing.
const understood: ReadonlySet<number> = new Set([0x0006, 0x0008, 0x0014, 0x0015]);

function fingerprintOf(bytes: Buffer): number {
  return (crc32(bytes) ^ FINGERPRINT_XOR) >>> 0;
}

function message(type: number, cookieAndId: Buffer, body: Buffer, fingerprint: boolean): Buffer {
  const out = Buffer.alloc(20 + body.length + (fingerprint ? 8 : 0));
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(out.length - 20, 2);
  cookieAndId.copy(out, 4);
  body.copy(out, 20);
  if (fingerprint) {
    const at = out.length - 8;
    out.writeUInt16BE(FINGERPRINT, at);
    out.writeUInt16BE(4, at + 2);
    out.writeUInt32BE(fingerprintOf(out.subarray(0, at)), at + 4);
  }
  return out;
}

/** RFC 8489 §14.2. */
function mappedAddress(request: Buffer, address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  const out = Buffer.alloc(8 + bytes.length);
  out.writeUInt16BE(XOR_MAPPED_ADDRESS, 0);
  out.writeUInt16BE(4 + bytes.length, 2);
  out.writeUInt8(bytes.length === 4 ? 1 : 2, 5);
  out.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 6);
  for (let i = 0; i < bytes.length; i += 1) out[8 + i] = (bytes[i] ?? 0) ^ (request[4 + i] ?? 0);
  return out;
}

/** RFC 8489 §14.8 and §14.13: 420 and the types that were not understood. */
function unknownAttributes(types: readonly number[]): Buffer {
  const listed = types.slice(0, 16);
  const out = Buffer.alloc(8 + 4 + ((listed.length * 2 + 3) & ~3));
  out.writeUInt16BE(ERROR_CODE, 0);
  out.writeUInt16BE(4, 2);
  out.writeUInt8(4, 6);
  out.writeUInt8(20, 7);
  out.writeUInt16BE(UNKNOWN_ATTRIBUTES, 8);
  out.writeUInt16BE(listed.length * 2, 10);
  listed.forEach((type, i) => {
    out.writeUInt16BE(type, 12 + i * 2);
  });
  return out;
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0);
  const out = Buffer.alloc(16);
  [...left, ...zeros, ...right].slice(0, 8).forEach((group, i) => {
    out.writeUInt16BE(group, i * 2);
  });
  return out;
}

function groups(part: string): number[] {
  return part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16) & 0xffff);
}
