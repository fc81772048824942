/** Label names with every value each may take: unions are closed, so that series cannot grow with what peers send. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/** One value for each label. A value outside the union counts as "other" where the union has that. */
export type LabelValues<L extends Labels> = { readonly [Name in keyof L]: L[Name][number] };

/** Numbers all combinations of label values: the index of a combination is its place in the counters' array. */
export class LabelSpace<L extends Labels> {
  readonly size: number;
  readonly #names: readonly string[];
  readonly #values: readonly (readonly string[])[];
  readonly #numbers: readonly ReadonlyMap<string, number>[];

  constructor(labels: L) {
    this.#names = Object.keys(labels);
    this.#values = Object.values(labels);
    this.#numbers = this.#values.map((values) => new Map(values.map((value, number) => [value, number])));
    this.size = this.#values.reduce((product, values) => product * values.length, 1);
  }

  /** @throws RangeError for a value outside a union without "other": a programming error. */
  indexOf(labels: LabelValues<L>): number {
    let index = 0;
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i] as string;
      const numbers = this.#numbers[i] as ReadonlyMap<string, number>;
      const number = numbers.get(labels[name] as string) ?? numbers.get("other");
      if (number === undefined)
        throw new RangeError(`"${labels[name]}" is not a value of the label "${name}"`);
      index = index * numbers.size + number;
    }
    return index;
  }

  /** The combination numbered `index`. */
  at(index: number): Record<string, string> {
    const labels: Record<string, string> = {};
    let rest = index;
    for (let i = this.#names.length - 1; i >= 0; i--) {
      const values = this.#values[i] as readonly string[];
      labels[this.#names[i] as string] = values[rest % values.length] as string;
      rest = Math.floor(rest / values.length);
    }
    return labels;
  }
}
