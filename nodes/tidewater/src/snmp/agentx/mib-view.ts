import { compareOids, type Oid } from "./oid.ts";
import type { SearchRange } from "./pdu.ts";
import type { VarBind } from "./value.ts";

/** Objects in their order, as they are at one moment. */
export class MibView {
  readonly #objects: readonly VarBind[];

  constructor(objects: readonly VarBind[]) {
    this.#objects = [...objects].sort((a, b) => compareOids(a.name, b.name));
  }

  /** RFC 2741 §7.2.3.1. */
  get(name: Oid): VarBind {
    const found = this.#objects[this.#placeOf(name)];
    if (found !== undefined && compareOids(found.name, name) === 0) return found;
    return { name, value: { type: "noSuchInstance" } };
  }

  /** RFC 2741 §7.2.3.2: the first object of a range. */
  next({ start, include, end }: SearchRange): VarBind {
    let place = this.#placeOf(start);
    const first = this.#objects[place];
    if (!include && first !== undefined && compareOids(first.name, start) === 0) place++;
    const found = this.#objects[place];
    // An empty end: there is none.
    if (found !== undefined && (end.length === 0 || compareOids(found.name, end) < 0)) return found;
    return { name: start, value: { type: "endOfMibView" } };
  }

  /** RFC 2741 §7.2.3.3. */
  bulk(ranges: readonly SearchRange[], nonRepeaters: number, maxRepetitions: number): readonly VarBind[] {
    const found = ranges.slice(0, nonRepeaters).map((range) => this.next(range));
    let rest = ranges.slice(nonRepeaters);
    for (let round = 0; round < Math.min(maxRepetitions, MAX_REPETITIONS) && rest.length > 0; round++) {
      const row = rest.map((range) => this.next(range));
      found.push(...row);
      if (row.every(({ value }) => value.type === "endOfMibView")) break;
      rest = rest.map((range, index) => ({
        start: row[index]?.name ?? range.start,
        include: false,
        end: range.end,
      }));
    }
    return found;
  }

  /** Of the first object that is not before `name`. */
  #placeOf(name: Oid): number {
    let low = 0;
    let high = this.#objects.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareOids((this.#objects[middle] as VarBind).name, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A manager that wants more asks again. */
const MAX_REPETITIONS = 1_000;
