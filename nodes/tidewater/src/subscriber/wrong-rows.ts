export interface RowError {
  readonly row: number;
  readonly impi: string;
  readonly error: string;
}

/** Of a file in which every row is wrong nobody reads more. */
const MOST_TOLD = 1_000;

/** Wrong rows of a file: all are counted, each once, the first ones are told. */
export class WrongRows {
  /** A bit for each row. */
  #known = new Uint8Array(1_024);
  readonly #told: RowError[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Those that are told, by row. */
  get told(): readonly RowError[] {
    return this.#told.toSorted((one, other) => one.row - other.row);
  }

  add(wrong: RowError): void {
    const [at, bit] = [wrong.row >>> 3, 1 << (wrong.row & 7)];
    if (at >= this.#known.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.#known.length * 2));
      larger.set(this.#known);
      this.#known = larger;
    }
    const known = this.#known[at] as number;
    if ((known & bit) !== 0) return;
    this.#known[at] = known | bit;
    this.#count++;
    if (this.#told.length < MOST_TOLD) this.#told.push(wrong);
  }
}
