import { AvpFlag, type Format } from "./avp.ts";
import type { Field } from "./plan.ts";

/** The content of Failed-AVP: RFC 6733 §7.5. */

/** Enough of an AVP to recognise it; an error answer must not become an amplifier. */
const MAX_DATA = 1024;

/** The AVP as it came, padded, its data cut at 1 KiB. */
export function offendingAvp(bytes: Buffer, start: number, end: number): Uint8Array {
  const length = Math.min(end - start, MAX_DATA);
  const copy = new Uint8Array((length + 3) & ~3);
  copy.set(bytes.subarray(start, start + length));
  if (length < end - start) setLength(copy, length);
  return copy;
}

/** An AVP whose length is wrong: its header and zeros for the least data its format takes (§7.1.5, 5014). */
export function shortAvp(bytes: Buffer, start: number, end: number, field?: Field): Uint8Array {
  const flags = end - start > 4 ? (bytes[start + 4] as number) : 0;
  const headerLength = (flags & AvpFlag.vendor) === 0 ? 8 : 12;
  const length = headerLength + (field === undefined ? 0 : leastLength(field.format));
  const copy = new Uint8Array((length + 3) & ~3);
  copy.set(bytes.subarray(start, Math.min(end, start + headerLength)));
  setLength(copy, length);
  return copy;
}

/** An example of an AVP that is not there: zeros for the least data its format takes (§7.1.5, 5005). */
export function missingAvp(field: Field): Uint8Array {
  const length = field.headerLength + leastLength(field.format);
  const example = Buffer.alloc((length + 3) & ~3);
  example.writeUInt32BE(field.code, 0);
  example[4] = field.flags;
  setLength(example, length);
  if (field.vendorId !== 0) example.writeUInt32BE(field.vendorId, 8);
  return example;
}

function setLength(avp: Uint8Array, length: number): void {
  avp[5] = length >> 16;
  avp[6] = length >> 8;
  avp[7] = length;
}

function leastLength(format: Format): number {
  switch (format) {
    case "Unsigned32":
    case "Integer32":
    case "Enumerated":
    case "Float32":
    case "Time":
      return 4;
    case "Unsigned64":
    case "Integer64":
    case "Float64":
      return 8;
    case "Address":
      return 6;
    default:
      return 0;
  }
}
