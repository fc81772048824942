import { DiameterError } from "../errors.ts";
import type { AvpsOf, Command } from "./command.ts";
import { addressBytes, secondsFromTime } from "./formats.ts";
import { HEADER_LENGTH, HeaderFlag, VERSION } from "./header.ts";
import type { Field, Plan } from "./plan.ts";
import { Writer } from "./writer.ts";

/** The largest message by default: 64 KiB. */
export const MAX_MESSAGE_LENGTH = 65_536;

/** What the sender chooses in the header; the rest follows from the command. */
export interface Identifiers {
  readonly hopByHop: number;
  readonly endToEnd: number;
  /** The header flags but R. Left out: P when the command says so. An answer repeats the P of its request, and adds E. */
  readonly flags?: number;
}

/**
 * Writes one message behind what `writer` has. Values are trusted to have the types of the command: one that cannot be
 * written throws DIAMETER_VALUE, a message over `maxLength` DIAMETER_MESSAGE_TOO_LONG; `writer` is then as it was.
 */
export function encode(
  writer: Writer,
  command: Command,
  identifiers: Identifiers,
  avps: Readonly<Record<string, unknown>>,
  maxLength: number = MAX_MESSAGE_LENGTH,
): void {
  const mark = writer.mark();
  try {
    writer.reserve(HEADER_LENGTH + 512);
    writer.position += HEADER_LENGTH;
    writeMembers(writer, command.plan, avps);
    const start = writer.at(mark);
    const length = writer.position - start;
    if (length > maxLength) {
      throw new DiameterError({ code: "DIAMETER_MESSAGE_TOO_LONG", command: command.name, maxLength });
    }
    const flags =
      (command.request ? HeaderFlag.request : 0) |
      (identifiers.flags ?? (command.proxiable ? HeaderFlag.proxiable : 0));
    const { bytes } = writer;
    put32(bytes, start, (VERSION << 24) | length);
    put32(bytes, start + 4, (flags << 24) | command.code);
    put32(bytes, start + 8, command.applicationId);
    put32(bytes, start + 12, identifiers.hopByHop);
    put32(bytes, start + 16, identifiers.endToEnd);
  } catch (error) {
    writer.rewind(mark);
    throw error;
  }
}

/** One message by itself. */
export function encodeMessage<C extends Command>(
  command: C,
  identifiers: Identifiers,
  avps: AvpsOf<C>,
  maxLength?: number,
): Buffer {
  const writer = new Writer();
  encode(writer, command, identifiers, avps as Readonly<Record<string, unknown>>, maxLength);
  return writer.take() ?? Buffer.alloc(0);
}

function writeMembers(writer: Writer, plan: Plan, values: Readonly<Record<string, unknown>>): void {
  const { fields } = plan;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const value = values[field.key];
    if (value === undefined) continue;
    if (!field.repeated) writeAvp(writer, field, value);
    else for (const each of value as Iterable<unknown>) writeAvp(writer, field, each);
  }
}

function writeAvp(writer: Writer, field: Field, value: unknown): void {
  const mark = writer.mark();
  // Header, the longest fixed format, padding; formats without a bound reserve more.
  writer.reserve(32);
  writer.position += field.headerLength;
  writeData(writer, field, value);
  const start = writer.at(mark);
  const { bytes } = writer;
  const length = writer.position - start;
  // The length field is 24 bits; nothing that long fits a message either.
  if (length > 0xffffff) bad(field, "less than 16 MiB");
  put32(bytes, start, field.code);
  put32(bytes, start + 4, (field.flags << 24) | length);
  if (field.vendorId !== 0) put32(bytes, start + 8, field.vendorId);
  while ((writer.position - start) % 4 !== 0) bytes[writer.position++] = 0;
}

function writeData(writer: Writer, field: Field, value: unknown): void {
  switch (field.format) {
    case "UTF8String":
    case "OctetText":
    case "DiameterIdentity":
    case "DiameterURI":
    case "IPFilterRule":
      if (typeof value !== "string") bad(field, "a string");
      else writeText(writer, value);
      return;
    case "Unsigned32":
    case "Integer32":
    case "Enumerated":
      if (typeof value !== "number" || !Number.isInteger(value)) bad(field, "an integer");
      else {
        const low = field.format === "Unsigned32" ? 0 : -0x80000000;
        if (value < low || value > (field.format === "Integer32" ? 0x7fffffff : 0xffffffff))
          bad(field, "32 bits");
        put32(writer.bytes, writer.position, value);
        writer.position += 4;
      }
      return;
    case "Grouped":
      if (typeof value !== "object" || value === null || field.members === undefined) bad(field, "an object");
      else writeMembers(writer, field.members, value as Readonly<Record<string, unknown>>);
      return;
    case "OctetString":
      if (!(value instanceof Uint8Array)) bad(field, "bytes");
      else writeBytes(writer, value);
      return;
    default:
      writeRare(writer, field, value);
  }
}

function writeRare(writer: Writer, field: Field, value: unknown): void {
  const { bytes, position } = writer;
  switch (field.format) {
    case "Unsigned64":
      if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value)
        return bad(field, "a 64-bit bigint");
      bytes.writeBigUInt64BE(value, position);
      writer.position += 8;
      return;
    case "Integer64":
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value)
        return bad(field, "a 64-bit bigint");
      bytes.writeBigInt64BE(value, position);
      writer.position += 8;
      return;
    case "Float32":
    case "Float64":
      if (typeof value !== "number") return bad(field, "a number");
      if (field.format === "Float32") bytes.writeFloatBE(value, position);
      else bytes.writeDoubleBE(value, position);
      writer.position += field.format === "Float32" ? 4 : 8;
      return;
    case "Time":
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return bad(field, "a valid Date");
      put32(bytes, position, secondsFromTime(value));
      writer.position += 4;
      return;
    default: {
      const address = typeof value === "string" ? addressBytes(value) : undefined;
      if (address === undefined) return bad(field, "an IP address");
      writeBytes(writer, address);
    }
  }
}

function writeBytes(writer: Writer, value: Uint8Array): void {
  writer.reserve(value.length + 4);
  writer.bytes.set(value, writer.position);
  writer.position += value.length;
}

function writeText(writer: Writer, text: string): void {
  const { length } = text;
  // A UTF-16 unit takes at most three bytes.
  writer.reserve(length * 3 + 4);
  const { bytes } = writer;
  let at = writer.position;
  if (length <= 48) {
    let index = 0;
    for (; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) break;
      bytes[at++] = unit;
    }
    if (index === length) {
      writer.position = at;
      return;
    }
    at = writer.position;
  }
  writer.position = at + bytes.write(text, at, "utf8");
}

function put32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function bad(field: Field, expected: string): never {
  throw new DiameterError({ code: "DIAMETER_VALUE", avp: field.name, expected });
}
