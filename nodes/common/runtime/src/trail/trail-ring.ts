/** What a step is kept as; `bytes[start, end)` is only good until the next step is added. */
export interface RingRecord {
  readonly sequence: number;
  /** Monotonic ms. */
  readonly at: number;
  readonly kind: number;
  /** A flat object that many records share. */
  readonly ends: object | undefined;
  readonly start: number;
  readonly end: number;
}

/**
 * The last records, bounded in number and bytes: a new one takes the place of the oldest. Nothing is allocated for a record, and
 * nothing of what it was made from is kept alive.
 */
export class TrailRing {
  readonly bytes: Buffer;
  readonly capacity: number;
  readonly #count: number;
  readonly #at: Float64Array;
  /** Where it begins, counted from the first byte ever written. */
  readonly #starts: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #kinds: Uint8Array;
  readonly #ends: (object | undefined)[];
  #first = 0;
  #next = 0;
  #written = 0;

  constructor({ bytes, records }: { readonly bytes: number; readonly records: number }) {
    // Pages that were never written cost no memory.
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.capacity = bytes;
    this.#count = records;
    this.#at = new Float64Array(records);
    this.#starts = new Float64Array(records);
    this.#lengths = new Uint32Array(records);
    this.#kinds = new Uint8Array(records);
    this.#ends = new Array<object | undefined>(records).fill(undefined);
  }

  /** Number of the oldest record there is. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next record gets. */
  get next(): number {
    return this.#next;
  }

  /** Makes room for a record; gives the place in `bytes` to write it to, at once. `length` is at most the capacity. */
  claim(length: number, kind: number, at: number, ends: object | undefined): number {
    let start = this.#written;
    let place = start % this.capacity;
    if (place + length > this.capacity) {
      // A record is in one piece.
      start += this.capacity - place;
      place = 0;
    }
    this.#written = start + length;
    const oldest = this.#written - this.capacity;
    while (this.#first < this.#next && (this.#starts[this.#first % this.#count] as number) < oldest)
      this.#drop();
    if (this.#next - this.#first === this.#count) this.#drop();
    const slot = this.#next % this.#count;
    this.#at[slot] = at;
    this.#starts[slot] = start;
    this.#lengths[slot] = length;
    this.#kinds[slot] = kind;
    this.#ends[slot] = ends;
    this.#next++;
    return place;
  }

  #drop(): void {
    this.#ends[this.#first % this.#count] = undefined;
    this.#first++;
  }

  /** The record of that number; undefined when it is gone, or not there yet. */
  record(sequence: number): RingRecord | undefined {
    if (sequence < this.#first || sequence >= this.#next) return undefined;
    const slot = sequence % this.#count;
    const start = (this.#starts[slot] as number) % this.capacity;
    return {
      sequence,
      at: this.#at[slot] as number,
      kind: this.#kinds[slot] as number,
      ends: this.#ends[slot],
      start,
      end: start + (this.#lengths[slot] as number),
    };
  }
}
