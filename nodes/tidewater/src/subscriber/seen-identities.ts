import { hash } from "node:crypto";

const FIRST_SLOTS = 65_536;
/** Octets of the digest that tell identities apart, in two parts, and the row. */
const FIELDS = 3;
const FULL = 0.6;

/**
 * The row that each identity of a file was in first. It takes some 30 octets for each outside of the heap, so that a file may be as large as it likes;
 * identities are told apart by 64 bits of their SHA-256.
 */
export class SeenIdentities {
  #slots = FIRST_SLOTS;
  /** Open addressing: two parts of a digest and the row, 0 where nothing is. */
  #table = new Uint32Array(FIRST_SLOTS * FIELDS);
  #count = 0;

  /** undefined: it was in no row yet. */
  rowOf(identity: string): number | undefined {
    const row = this.#table[this.#placeOf(...digestOf(identity)) + 2] as number;
    return row === 0 ? undefined : row;
  }

  /** Notes it; one that is there keeps its row. `row` counts from 1. */
  add(identity: string, row: number): void {
    this.#put(...digestOf(identity), row);
    if (this.#count > this.#slots * FULL) this.#grow();
  }

  #put(one: number, two: number, row: number): void {
    const at = this.#placeOf(one, two);
    if (this.#table[at + 2] !== 0) return;
    this.#table.set([one, two, row], at);
    this.#count++;
  }

  /** Where it is, or would be. */
  #placeOf(one: number, two: number): number {
    const table = this.#table;
    for (let slot = one % this.#slots; ; slot = (slot + 1) % this.#slots) {
      const at = slot * FIELDS;
      if (table[at + 2] === 0 || (table[at] === one && table[at + 1] === two)) return at;
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#slots *= 2;
    this.#table = new Uint32Array(this.#slots * FIELDS);
    this.#count = 0;
    for (let at = 0; at < old.length; at += FIELDS)
      if (old[at + 2] !== 0) this.#put(old[at] as number, old[at + 1] as number, old[at + 2] as number);
  }
}

function digestOf(identity: string): [number, number] {
  const digest = hash("sha256", identity, "buffer");
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
