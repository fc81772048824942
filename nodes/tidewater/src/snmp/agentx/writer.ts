import type { Oid } from "./oid.ts";
import { VALUE_TYPES, type Value, type VarBind } from "./value.ts";

/** Bytes of a PDU, network byte order (RFC 2741 §5). */
export class PduWriter {
  readonly #parts: Buffer[] = [];

  u8(...values: readonly number[]): this {
    this.#parts.push(Buffer.from(values));
    return this;
  }

  u16(value: number): this {
    const part = Buffer.alloc(2);
    part.writeUInt16BE(value);
    this.#parts.push(part);
    return this;
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value >>> 0);
    this.#parts.push(part);
    return this;
  }

  /** RFC 2741 §5.1, without the short form for the Internet prefix: receivers take both. */
  oid(oid: Oid, include = false): this {
    this.u8(oid.length, 0, include ? 1 : 0, 0);
    for (const part of oid) this.u32(part);
    return this;
  }

  /** RFC 2741 §5.3: padded to a multiple of four. */
  octets(value: Uint8Array): this {
    this.u32(value.length);
    this.#parts.push(Buffer.from(value), Buffer.alloc((4 - (value.length % 4)) % 4));
    return this;
  }

  varBind({ name, value }: VarBind): this {
    return this.u16(VALUE_TYPES[value.type]).u16(0).oid(name).#value(value);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #value(value: Value): this {
    switch (value.type) {
      case "integer":
      case "counter32":
      case "gauge32":
      case "timeTicks":
        return this.u32(value.value);
      case "octets":
        return this.octets(value.value);
      case "oid":
        return this.oid(value.value);
      case "null":
      case "noSuchObject":
      case "noSuchInstance":
      case "endOfMibView":
        return this;
    }
  }
}
