import type { Oid } from "./oid.ts";
import { PduError, PduReader } from "./reader.ts";
import type { VarBind } from "./value.ts";
import { PduWriter } from "./writer.ts";

/** RFC 2741 §6.1, h.type; those that a sub-agent of read-only objects sends or is sent. */
export const PDU_TYPES = {
  open: 1,
  close: 2,
  register: 3,
  get: 5,
  getNext: 6,
  getBulk: 7,
  testSet: 8,
  commitSet: 9,
  undoSet: 10,
  cleanupSet: 11,
  notify: 12,
  ping: 13,
  response: 18,
} as const;

/** RFC 2741 §6.1, h.flags. */
const NON_DEFAULT_CONTEXT = 0x08;
const NETWORK_BYTE_ORDER = 0x10;

const VERSION = 1;
export const HEADER_LENGTH = 20;
/** A master sends no more at a time: hundreds of objects in one request. */
export const MAX_PAYLOAD = 1_000_000;

/** RFC 2741 §6.2.16, res.error. */
export const ERRORS = { noError: 0, genErr: 5, notWritable: 17, parseError: 266, notOpen: 257 } as const;

export interface PduHeader {
  readonly type: number;
  readonly flags: number;
  readonly sessionId: number;
  readonly transactionId: number;
  readonly packetId: number;
  readonly payloadLength: number;
}

/** RFC 2741 §5.2: from `start`, itself too with `include`, to before `end`. */
export interface SearchRange {
  readonly start: Oid;
  readonly include: boolean;
  readonly end: Oid;
}

export type Request =
  | { readonly type: "get" | "getNext"; readonly ranges: readonly SearchRange[] }
  | {
      readonly type: "getBulk";
      readonly nonRepeaters: number;
      readonly maxRepetitions: number;
      readonly ranges: readonly SearchRange[];
    }
  | { readonly type: "response"; readonly error: number }
  | { readonly type: "close" | "testSet" | "set" | "cleanupSet" | "other" };

export type Ids = Pick<PduHeader, "sessionId" | "transactionId" | "packetId">;

/** The header of what begins with it. Throws PduError for another version or a length that cannot be. */
export function readHeader(bytes: Buffer): PduHeader {
  if (bytes.readUInt8(0) !== VERSION) throw new PduError(`version ${bytes.readUInt8(0)} of AgentX`);
  const flags = bytes.readUInt8(2);
  const u32 = (at: number): number =>
    (flags & NETWORK_BYTE_ORDER) !== 0 ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  const payloadLength = u32(16);
  if (payloadLength > MAX_PAYLOAD || payloadLength % 4 !== 0)
    throw new PduError(`a payload of ${payloadLength} bytes`);
  return {
    type: bytes.readUInt8(1),
    ...{ flags, sessionId: u32(4), transactionId: u32(8), packetId: u32(12), payloadLength },
  };
}

/** What is asked. Throws PduError for what is not whole. */
export function readRequest({ type, flags }: PduHeader, payload: Buffer): Request {
  const reader = new PduReader(payload, (flags & NETWORK_BYTE_ORDER) !== 0);
  const skipContext = (): void => {
    if ((flags & NON_DEFAULT_CONTEXT) !== 0) reader.octets();
  };
  switch (type) {
    case PDU_TYPES.response:
      reader.u32(); // sysUpTime
      return { type: "response", error: reader.u16() };
    case PDU_TYPES.get:
    case PDU_TYPES.getNext:
      skipContext();
      return { type: type === PDU_TYPES.get ? "get" : "getNext", ranges: rangesOf(reader) };
    case PDU_TYPES.getBulk: {
      skipContext();
      const [nonRepeaters, maxRepetitions] = [reader.u16(), reader.u16()];
      return { type: "getBulk", nonRepeaters, maxRepetitions, ranges: rangesOf(reader) };
    }
    case PDU_TYPES.close:
      return { type: "close" };
    case PDU_TYPES.testSet:
      return { type: "testSet" };
    case PDU_TYPES.commitSet:
    case PDU_TYPES.undoSet:
      return { type: "set" };
    case PDU_TYPES.cleanupSet:
      return { type: "cleanupSet" };
    default:
      return { type: "other" };
  }
}

function rangesOf(reader: PduReader): SearchRange[] {
  const ranges: SearchRange[] = [];
  while (!reader.atEnd) {
    const { oid: start, include } = reader.oid();
    ranges.push({ start, include, end: reader.oid().oid });
  }
  return ranges;
}

function pdu(type: keyof typeof PDU_TYPES, ids: Ids, payload: PduWriter): Buffer {
  const bytes = payload.bytes();
  const header = new PduWriter()
    .u8(VERSION, PDU_TYPES[type], NETWORK_BYTE_ORDER, 0)
    .u32(ids.sessionId)
    .u32(ids.transactionId)
    .u32(ids.packetId)
    .u32(bytes.length);
  return Buffer.concat([header.bytes(), bytes]);
}

/** RFC 2741 §6.2.1. */
export function openPdu(ids: Ids, description: string): Buffer {
  const payload = new PduWriter().u8(0, 0, 0, 0).oid([]).octets(Buffer.from(description, "utf8"));
  return pdu("open", ids, payload);
}

/** RFC 2741 §6.2.2; reason 5: shutdown. */
export function closePdu(ids: Ids): Buffer {
  return pdu("close", ids, new PduWriter().u8(5, 0, 0, 0));
}

/** RFC 2741 §6.2.3, with the default priority. */
export function registerPdu(ids: Ids, subtree: Oid): Buffer {
  return pdu("register", ids, new PduWriter().u8(0, 127, 0, 0).oid(subtree));
}

/** RFC 2741 §6.2.10. */
export function notifyPdu(ids: Ids, varBinds: readonly VarBind[]): Buffer {
  const payload = new PduWriter();
  for (const varBind of varBinds) payload.varBind(varBind);
  return pdu("notify", ids, payload);
}

/** RFC 2741 §6.2.11. */
export function pingPdu(ids: Ids): Buffer {
  return pdu("ping", ids, new PduWriter());
}

/** RFC 2741 §6.2.16. `index`: of the variable that is to blame, from 1. */
export function responsePdu(
  ids: Ids,
  error: number,
  { varBinds = [], index = 0 }: { readonly varBinds?: readonly VarBind[]; readonly index?: number } = {},
): Buffer {
  const payload = new PduWriter().u32(0).u16(error).u16(index);
  for (const varBind of varBinds) payload.varBind(varBind);
  return pdu("response", ids, payload);
}
