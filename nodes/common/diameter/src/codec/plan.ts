import { DiameterError } from "../errors.ts";
import type { Avp, Format, Members } from "./avp.ts";

/** One AVP within one command or group, laid out for the codec. A class, so that every field has one shape. */
export class Field {
  readonly key: string;
  readonly name: string;
  readonly code: number;
  readonly vendorId: number;
  readonly flags: number;
  readonly headerLength: number;
  readonly format: Format;
  readonly repeated: boolean;
  readonly bit: number;
  readonly values: ReadonlySet<number> | undefined;
  readonly members: Plan | undefined;
  /** The last identity read here: the same peer says the same name in every message. */
  lastBytes: Buffer = Buffer.alloc(0);
  lastText = "";

  constructor(key: string, avp: Avp, repeated: boolean, index: number) {
    this.key = key;
    this.name = avp.name;
    this.code = avp.code;
    this.vendorId = avp.vendorId;
    this.flags = avp.flags;
    this.headerLength = avp.vendorId === 0 ? 8 : 12;
    this.format = avp.format;
    this.repeated = repeated;
    this.bit = 1 << index;
    this.values = avp.values;
    this.members = avp.members === undefined ? undefined : new Plan(avp.name, avp.members);
  }
}

/** A command or group compiled for the codec: its fields in order of sending, and a hash of (vendor, code). */
export class Plan {
  readonly fields: readonly Field[];
  /** Bits of the fields that must be there. */
  readonly requiredMask: number;
  readonly depth: number;
  readonly #slots: Int8Array;
  readonly #mask: number;

  constructor(name: string, members: Members) {
    const entries = Object.entries(members);
    // One bit a field in a 32-bit word.
    if (entries.length > 32) {
      throw new DiameterError({ code: "DIAMETER_DICTIONARY", command: name, reason: "more than 32 AVPs" });
    }
    let requiredMask = 0;
    let depth = 0;
    this.fields = entries.map(([key, { avp, occurrence }], index) => {
      const field = new Field(key, avp, occurrence === "many" || occurrence === "some", index);
      if (occurrence === "required" || occurrence === "some") requiredMask |= field.bit;
      if (field.members !== undefined) depth = Math.max(depth, field.members.depth + 1);
      return field;
    });
    this.requiredMask = requiredMask;
    this.depth = depth;
    let size = 4;
    while (size < entries.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int8Array(size).fill(-1);
    for (const [index, field] of this.fields.entries()) {
      if (this.find(field.code, field.vendorId) !== undefined) {
        throw new DiameterError({
          code: "DIAMETER_DICTIONARY",
          command: name,
          reason: `${field.name} twice`,
        });
      }
      let slot = hash(field.code, field.vendorId) & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = index;
    }
  }

  /** The field of an AVP, undefined when this command or group does not know it. */
  find(code: number, vendorId: number): Field | undefined {
    let slot = hash(code, vendorId) & this.#mask;
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index < 0) return undefined;
      const field = this.fields[index] as Field;
      if (field.code === code && field.vendorId === vendorId) return field;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The first required field that `seen` lacks. */
  firstMissing(seen: number): Field | undefined {
    const missing = this.requiredMask & ~seen;
    return missing === 0 ? undefined : this.fields[31 - Math.clz32(missing & -missing)];
  }
}

function hash(code: number, vendorId: number): number {
  return code ^ (vendorId * 7);
}
