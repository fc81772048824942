import type { Oid } from "./oid.ts";

/** What the master sent is no PDU of RFC 2741. */
export class PduError extends Error {}

/** Longest object identifier: RFC 2578 §3.5. */
const MAX_SUBIDS = 128;

/** Reads the payload of a PDU, in the byte order of its header. Throws PduError for what is not whole. */
export class PduReader {
  readonly #bytes: Buffer;
  readonly #bigEndian: boolean;
  #at = 0;

  constructor(bytes: Buffer, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#bigEndian = bigEndian;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    const at = this.#take(2);
    return this.#bigEndian ? this.#bytes.readUInt16BE(at) : this.#bytes.readUInt16LE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return this.#bigEndian ? this.#bytes.readUInt32BE(at) : this.#bytes.readUInt32LE(at);
  }

  /** RFC 2741 §5.1. */
  oid(): { readonly oid: Oid; readonly include: boolean } {
    const [count, prefix, include] = [this.u8(), this.u8(), this.u8()];
    this.u8();
    if (count > MAX_SUBIDS) throw new PduError(`an object identifier of ${count} parts`);
    const oid = prefix === 0 ? [] : [1, 3, 6, 1, prefix];
    for (let part = 0; part < count; part++) oid.push(this.u32());
    return { oid, include: include === 1 };
  }

  octets(): Buffer {
    const length = this.u32();
    const at = this.#take(length + ((4 - (length % 4)) % 4));
    return this.#bytes.subarray(at, at + length);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new PduError("a PDU that ends early");
    this.#at += count;
    return at;
  }
}
