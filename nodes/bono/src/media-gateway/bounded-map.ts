import { dropOldest } from "@ims/runtime";

/** A map that forgets its oldest entries when it is full: what is missing in it may cost something, but does no harm. */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) dropOldest(this.#entries, this.#limit);
  }

  /** Takes it out. */
  take(key: string): Value | undefined {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    return value;
  }
}
