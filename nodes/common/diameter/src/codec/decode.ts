import { isUtf8 } from "node:buffer";
import { ResultCode } from "../base/result-codes.ts";
import { AvpFlag } from "./avp.ts";
import type { Command, Dictionary } from "./command.ts";
import { missingAvp, offendingAvp, shortAvp } from "./failed-avp.ts";
import { readAddress, timeFromSeconds } from "./formats.ts";
import { HEADER_LENGTH, type Header, HeaderFlag, messageLength, readHeader, VERSION } from "./header.ts";
import type { Field, Plan } from "./plan.ts";

/** Values by the keys of the command; what the types of the command promise has been checked. */
export type DecodedAvps = Readonly<Record<string, unknown>>;

/** An AVP that the dictionary does not know, with the M bit clear. */
export interface UnknownAvp {
  readonly code: number;
  readonly vendorId: number;
  readonly flags: number;
  readonly data: Uint8Array;
}

/** What is wrong with a message: RFC 6733 §7.1.3, §7.1.5, §7.5. */
export interface MessageFault {
  readonly resultCode: ResultCode;
  /** The content of Failed-AVP, where the clause wants one. */
  readonly failedAvp?: Uint8Array;
  readonly reason: string;
}

/** What bytes turned out to be. Nothing in it shares memory with them. */
export type Decoded =
  | {
      readonly kind: "message";
      readonly header: Header;
      readonly command: Command;
      readonly avps: DecodedAvps;
    }
  | {
      readonly kind: "fault";
      readonly header: Header;
      /** Undefined when application or command are unknown. */
      readonly command: Command | undefined;
      /** What could be read: enough to route the error answer (Session-Id, Proxy-Info). */
      readonly avps: DecodedAvps;
      readonly fault: MessageFault;
    };

export interface DecodeOptions {
  /** Receives the AVPs of the message's top level that the dictionary does not know. Left out: they are skipped. */
  readonly onUnknown?: (avp: UnknownAvp) => void;
}

interface State {
  readonly bytes: Buffer;
  /**
   * An answer cannot be answered, so it is read as far as it makes sense: what is missing at its top level stays missing, an
   * enumerated value from a later release is skipped, and with the E bit set an unknown mandatory AVP too (RFC 6733 §7.2).
   */
  readonly answer: boolean;
  readonly error: boolean;
  readonly onUnknown: ((avp: UnknownAvp) => void) | undefined;
  fault: MessageFault | undefined;
}

const NO_AVPS: DecodedAvps = Object.freeze({});

/** Reads the one message in `bytes[start, end)`. Never throws, whatever the bytes are; the work is linear in their number. */
export function decode(
  dictionary: Dictionary,
  bytes: Buffer,
  start = 0,
  end: number = bytes.length,
  options: DecodeOptions = {},
): Decoded {
  const length = end - start;
  if (length < HEADER_LENGTH) {
    const header: Header = { flags: 0, code: 0, applicationId: 0, hopByHop: 0, endToEnd: 0 };
    return faulty(header, undefined, NO_AVPS, ResultCode.INVALID_MESSAGE_LENGTH, "shorter than a header");
  }
  const header = readHeader(bytes, start);
  if (bytes[start] !== VERSION) {
    return faulty(header, undefined, NO_AVPS, ResultCode.UNSUPPORTED_VERSION, `version ${bytes[start]}`);
  }
  const stated = messageLength(bytes, start);
  if (stated !== length || length % 4 !== 0) {
    const reason = `${length} bytes, ${stated} in the header`;
    return faulty(header, undefined, NO_AVPS, ResultCode.INVALID_MESSAGE_LENGTH, reason);
  }
  const request = (header.flags & HeaderFlag.request) !== 0;
  const pair = dictionary.find(header.applicationId, header.code);
  if (pair === undefined) {
    return dictionary.knowsApplication(header.applicationId)
      ? faulty(header, undefined, NO_AVPS, ResultCode.COMMAND_UNSUPPORTED, `command ${header.code}`)
      : faulty(
          header,
          undefined,
          NO_AVPS,
          ResultCode.APPLICATION_UNSUPPORTED,
          `application ${header.applicationId}`,
        );
  }
  const command = request ? pair.request : pair.answer;
  const state: State = {
    bytes,
    answer: !request,
    error: (header.flags & HeaderFlag.error) !== 0,
    onUnknown: options.onUnknown,
    fault: headerFault(header, command),
  };
  const avps = readMembers(state, command.plan, start + HEADER_LENGTH, end, true);
  return state.fault === undefined
    ? { kind: "message", header, command, avps }
    : { kind: "fault", header, command, avps, fault: state.fault };
}

function headerFault(header: Header, command: Command): MessageFault | undefined {
  const { flags } = header;
  if ((flags & HeaderFlag.reserved) !== 0) {
    return { resultCode: ResultCode.INVALID_BIT_IN_HEADER, reason: "reserved header bit" };
  }
  if (command.request && (flags & HeaderFlag.error) !== 0) {
    return { resultCode: ResultCode.INVALID_HDR_BITS, reason: "E bit in a request" };
  }
  if (command.request && !command.proxiable && (flags & HeaderFlag.proxiable) !== 0) {
    return { resultCode: ResultCode.INVALID_HDR_BITS, reason: "P bit in a command that is never proxied" };
  }
  return undefined;
}

function faulty(
  header: Header,
  command: Command | undefined,
  avps: DecodedAvps,
  resultCode: ResultCode,
  reason: string,
): Decoded {
  return { kind: "fault", header, command, avps, fault: { resultCode, reason } };
}

/** Keeps the first fault; reading goes on so that an error answer can carry what came later. */
function fail(state: State, resultCode: ResultCode, reason: string, failedAvp: Uint8Array): undefined {
  state.fault ??= { resultCode, reason, failedAvp };
  return undefined;
}

function readMembers(state: State, plan: Plan, start: number, end: number, top: boolean): DecodedAvps {
  const { bytes } = state;
  const values: Record<string, unknown> = {};
  let seen = 0;
  let at = start;
  while (at < end) {
    const room = end - at;
    if (room < 8) {
      fail(
        state,
        ResultCode.INVALID_AVP_LENGTH,
        "end of message inside an AVP header",
        shortAvp(bytes, at, end),
      );
      return values;
    }
    const code = bytes.readUInt32BE(at);
    const flags = bytes[at + 4] as number;
    const length =
      ((bytes[at + 5] as number) << 16) | ((bytes[at + 6] as number) << 8) | (bytes[at + 7] as number);
    const headerLength = (flags & AvpFlag.vendor) === 0 ? 8 : 12;
    if (length < headerLength || length > room) {
      const vendorId = headerLength === 12 && room >= 12 ? bytes.readUInt32BE(at + 8) : 0;
      const failed = shortAvp(bytes, at, end, plan.find(code, vendorId));
      // Where the next AVP begins is unknown: stop.
      fail(state, ResultCode.INVALID_AVP_LENGTH, `AVP ${code} says ${length} bytes`, failed);
      return values;
    }
    const vendorId = headerLength === 8 ? 0 : bytes.readUInt32BE(at + 8);
    const data = at + headerLength;
    const stop = at + length;
    const field = plan.find(code, vendorId);
    if ((flags & AvpFlag.reserved) !== 0 && !state.answer) {
      fail(state, ResultCode.INVALID_AVP_BITS, `AVP ${code}: reserved bit`, offendingAvp(bytes, at, stop));
    } else if (field === undefined) {
      if (
        (flags & AvpFlag.mandatory) !== 0 &&
        !state.error &&
        !(state.answer && isAddressee(code, vendorId))
      ) {
        const reason = `AVP ${code} of vendor ${vendorId} is not known`;
        fail(state, ResultCode.AVP_UNSUPPORTED, reason, offendingAvp(bytes, at, stop));
      } else if (top && state.onUnknown !== undefined) {
        state.onUnknown({ code, vendorId, flags, data: copyOf(bytes, data, stop) });
      }
    } else if ((seen & field.bit) !== 0 && !field.repeated) {
      fail(
        state,
        ResultCode.AVP_OCCURS_TOO_MANY_TIMES,
        `${field.name} more than once`,
        offendingAvp(bytes, at, stop),
      );
    } else {
      const value = readValue(state, field, at, data, stop);
      if (value !== undefined) {
        if (!field.repeated) values[field.key] = value;
        else if ((seen & field.bit) === 0) values[field.key] = [value];
        else (values[field.key] as unknown[]).push(value);
        seen |= field.bit;
      }
    }
    at += (length + 3) & ~3;
  }
  if (!(state.answer && (top || state.error)) && state.fault === undefined) {
    const missing = plan.firstMissing(seen);
    if (missing !== undefined) {
      fail(state, ResultCode.MISSING_AVP, `${missing.name} is missing`, missingAvp(missing));
    }
  }
  return values;
}

/** Destination-Host and Destination-Realm, which Kamailio writes into answers too (`* [ AVP ]`): known, and of no consequence there. */
function isAddressee(code: number, vendorId: number): boolean {
  return vendorId === 0 && (code === 293 || code === 283);
}

function readValue(state: State, field: Field, avp: number, start: number, end: number): unknown {
  const { bytes } = state;
  switch (field.format) {
    case "DiameterIdentity":
      return readIdentity(bytes, field, start, end);
    case "OctetText":
      return bytes.toString("utf8", start, end);
    case "UTF8String":
    case "DiameterURI":
    case "IPFilterRule": {
      const text = bytes.toString("utf8", start, end);
      if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end))) {
        const failed = offendingAvp(bytes, avp, end);
        return fail(state, ResultCode.INVALID_AVP_VALUE, `${field.name} is not UTF-8`, failed);
      }
      return text;
    }
    case "OctetString":
      return copyOf(bytes, start, end);
    case "Grouped":
      return field.members === undefined ? undefined : readMembers(state, field.members, start, end, false);
    default:
      return readFixed(state, field, avp, start, end);
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

function readIdentity(bytes: Buffer, field: Field, start: number, end: number): string {
  const last = field.lastBytes;
  const length = end - start;
  if (last.length === length) {
    let index = 0;
    while (index < length && last[index] === bytes[start + index]) index++;
    if (index === length) return field.lastText;
  }
  const text = bytes.toString("utf8", start, end);
  if (length <= 255) {
    field.lastBytes = Buffer.from(bytes.subarray(start, end));
    field.lastText = text;
  }
  return text;
}

function readFixed(state: State, field: Field, avp: number, start: number, end: number): unknown {
  const { bytes } = state;
  const { format } = field;
  const length = end - start;
  const wide = format === "Unsigned64" || format === "Integer64" || format === "Float64";
  if (format === "Address" ? length < 2 : length !== (wide ? 8 : 4)) {
    const failed = offendingAvp(bytes, avp, end);
    return fail(state, ResultCode.INVALID_AVP_LENGTH, `${field.name} has ${length} bytes`, failed);
  }
  switch (format) {
    case "Unsigned32":
      return bytes.readUInt32BE(start);
    case "Integer32":
      return bytes.readInt32BE(start);
    case "Enumerated": {
      const value = bytes.readInt32BE(start);
      if (field.values?.has(value) !== false) return value;
      if (state.answer) return undefined;
      const failed = offendingAvp(bytes, avp, end);
      return fail(state, ResultCode.INVALID_AVP_VALUE, `${field.name} ${value}`, failed);
    }
    case "Time":
      return timeFromSeconds(bytes.readUInt32BE(start));
    case "Unsigned64":
      return bytes.readBigUInt64BE(start);
    case "Integer64":
      return bytes.readBigInt64BE(start);
    case "Float32":
      return bytes.readFloatBE(start);
    case "Float64":
      return bytes.readDoubleBE(start);
    default: {
      const address = readAddress(bytes, start, end);
      if (address !== undefined) return address;
      const failed = offendingAvp(bytes, avp, end);
      return fail(state, ResultCode.INVALID_AVP_VALUE, `${field.name} of another family`, failed);
    }
  }
}
