/** Values by the beginning of a key; the longest counts. A look-up costs as many steps as the longest prefix has characters. */
export class PrefixTable<T> {
  readonly #values = new Map<string, T>();
  #longest = 0;

  /** False when the prefix is taken. */
  add(prefix: string, value: T): boolean {
    if (this.#values.has(prefix)) return false;
    this.#values.set(prefix, value);
    this.#longest = Math.max(this.#longest, prefix.length);
    return true;
  }

  /** The value and how long the prefix is. */
  find(key: string): { readonly value: T; readonly length: number } | undefined {
    for (let length = Math.min(this.#longest, key.length); length >= 0; length--) {
      const value = this.#values.get(key.slice(0, length));
      if (value !== undefined) return { value, length };
    }
    return undefined;
  }
}
