import type { OctetSlabs } from "./octet-slabs.ts";

const LEAST_ENTRIES = 16;
const NONE = -1;
/** Entries looked at for their end with each put: more than one, so that garbage shrinks faster than it can grow. */
const SWEEP_STEP = 4;
/** Slots, most of which may be free, passed over on the way to them. */
const SWEEP_SLOTS = 64;
/** With room for so many times what is there, a shard is made anew. */
const TOO_LARGE = 8;

/** What is known of each entry beside its octets. Slots of entries are numbers from 0 on; a free one is in no chain and its length is NONE. */
interface Columns {
  readonly hashes: Uint32Array;
  /** Of the chain of a hash, or of free slots. */
  readonly next: Int32Array;
  /** Where key and value stand, one after the other. */
  readonly places: Float64Array;
  readonly keyLengths: Int32Array;
  readonly valueLengths: Int32Array;
  readonly numbers: Float64Array;
  readonly expiries: Float64Array;
}

/** A part of a PackedTable: a hash table with chains, in columns of numbers. */
export class PackedShard {
  readonly #slabs: OctetSlabs;
  /** Lower bits of the hash, which chose this shard. */
  readonly #skip: number;
  #columns = columnsOf(LEAST_ENTRIES);
  #heads = new Int32Array(LEAST_ENTRIES).fill(NONE);
  /** Slots that were ever used. */
  #begun = 0;
  #free = NONE;
  #size = 0;
  #swept = 0;

  constructor(slabs: OctetSlabs, skip: number) {
    this.#slabs = slabs;
    this.#skip = skip;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of a key; -1 without one. */
  find(hash: number, key: string): number {
    const { hashes, next, keyLengths, places } = this.#columns;
    for (let slot = this.#head(hash); slot !== NONE; slot = next[slot] as number) {
      if (hashes[slot] !== hash || keyLengths[slot] !== key.length) continue;
      const place = places[slot] as number;
      const start = this.#slabs.startOf(place);
      if (this.#slabs.octetsOf(place).toString("latin1", start, start + key.length) === key) return slot;
    }
    return NONE;
  }

  expiresAt(slot: number): number {
    return this.#columns.expiries[slot] as number;
  }

  number(slot: number): number {
    return this.#columns.numbers[slot] as number;
  }

  text(slot: number): string {
    const [start, end] = this.#valueOf(slot);
    return this.#slabs.octetsOf(this.#columns.places[slot] as number).toString("latin1", start, end);
  }

  octets(slot: number): Buffer {
    const [start, end] = this.#valueOf(slot);
    return Buffer.from(this.#slabs.octetsOf(this.#columns.places[slot] as number).subarray(start, end));
  }

  put(hash: number, key: string, value: string | Uint8Array, number: number, expiresAt: number): void {
    const size = key.length + value.length;
    let slot = this.find(hash, key);
    if (slot === NONE) {
      slot = this.#add(hash);
      this.#columns.places[slot] = this.#slabs.take(size);
    } else if (!this.#slabs.fits(this.#columns.places[slot] as number, size)) {
      const place = this.#slabs.take(size);
      this.#slabs.release(this.#columns.places[slot] as number);
      this.#columns.places[slot] = place;
    }
    const columns = this.#columns;
    const place = columns.places[slot] as number;
    const octets = this.#slabs.octetsOf(place);
    const start = this.#slabs.startOf(place);
    octets.write(key, start, "latin1");
    if (typeof value === "string") octets.write(value, start + key.length, "latin1");
    else octets.set(value, start + key.length);
    columns.keyLengths[slot] = key.length;
    columns.valueLengths[slot] = value.length;
    columns.numbers[slot] = number;
    columns.expiries[slot] = expiresAt;
  }

  remove(slot: number): void {
    const { hashes, next, places, keyLengths } = this.#columns;
    const head = this.#headAt(hashes[slot] as number);
    let before = this.#heads[head] as number;
    if (before === slot) this.#heads[head] = next[slot] as number;
    else {
      while (next[before] !== slot) before = next[before] as number;
      next[before] = next[slot] as number;
    }
    this.#slabs.release(places[slot] as number);
    keyLengths[slot] = NONE;
    next[slot] = this.#free;
    this.#free = slot;
    this.#size--;
  }

  /** Looks at a few entries, other ones each time, and drops those that have lapsed. */
  sweep(now: number): void {
    let entries = 0;
    for (let looked = 0; looked < SWEEP_SLOTS && entries < SWEEP_STEP; looked++) {
      if (this.#swept >= this.#begun) {
        this.#swept = 0;
        this.#shrink();
      }
      if (this.#columns.keyLengths[this.#swept] !== NONE) entries++;
      this.#look(this.#swept++, now);
    }
  }

  /** Drops all that have lapsed. */
  purge(now: number): void {
    for (let slot = 0; slot < this.#begun; slot++) this.#look(slot, now);
    this.#shrink();
  }

  #look(slot: number, now: number): void {
    const { keyLengths, expiries } = this.#columns;
    if (slot < this.#begun && keyLengths[slot] !== NONE && (expiries[slot] as number) <= now)
      this.remove(slot);
  }

  #valueOf(slot: number): readonly [number, number] {
    const { places, keyLengths, valueLengths } = this.#columns;
    const start = this.#slabs.startOf(places[slot] as number) + (keyLengths[slot] as number);
    return [start, start + (valueLengths[slot] as number)];
  }

  #headAt(hash: number): number {
    return (hash >>> this.#skip) & (this.#heads.length - 1);
  }

  #head(hash: number): number {
    return this.#heads[this.#headAt(hash)] as number;
  }

  /** A slot at the beginning of the chain of its hash. */
  #add(hash: number): number {
    let slot = this.#free;
    if (slot === NONE) {
      if (this.#begun === this.#heads.length) this.#grow();
      slot = this.#begun++;
    } else this.#free = this.#columns.next[slot] as number;
    this.#columns.hashes[slot] = hash;
    this.#link(slot);
    this.#size++;
    return slot;
  }

  #link(slot: number): void {
    const { hashes, next } = this.#columns;
    const head = this.#headAt(hashes[slot] as number);
    next[slot] = this.#heads[head] as number;
    this.#heads[head] = slot;
  }

  /** Twice as many, all of them in use up to here. */
  #grow(): void {
    this.#rebuild(this.#heads.length * 2);
  }

  #shrink(): void {
    if (this.#heads.length <= Math.max(LEAST_ENTRIES, this.#size * TOO_LARGE)) return;
    let entries = LEAST_ENTRIES;
    while (entries < this.#size * 2) entries *= 2;
    this.#rebuild(entries);
  }

  /** What is there moves together. */
  #rebuild(entries: number): void {
    const before = this.#columns;
    const columns = columnsOf(entries);
    const names = Object.keys(columns) as (keyof Columns)[];
    const begun = this.#begun;
    this.#columns = columns;
    this.#heads = new Int32Array(entries).fill(NONE);
    this.#begun = 0;
    this.#free = NONE;
    this.#swept = 0;
    for (let from = 0; from < begun; from++) {
      if (before.keyLengths[from] === NONE) continue;
      const slot = this.#begun++;
      for (const name of names) columns[name][slot] = before[name][from] as number;
      this.#link(slot);
    }
  }
}

function columnsOf(entries: number): Columns {
  return {
    hashes: new Uint32Array(entries),
    next: new Int32Array(entries),
    places: new Float64Array(entries),
    keyLengths: new Int32Array(entries).fill(NONE),
    valueLengths: new Int32Array(entries),
    numbers: new Float64Array(entries),
    expiries: new Float64Array(entries),
  };
}
