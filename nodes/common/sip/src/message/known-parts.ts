/** Slots; a power of two. A core has some dozens of hosts with their parameters. */
const SLOTS = 256;
/** Longer than any part that comes again and again. */
const MAX_LENGTH = 128;

interface Known<T> {
  readonly text: string;
  readonly meaning: T;
}

/**
 * What parts of texts mean that come again and again, by their text. Its size is fixed, and a part is compared whole: what anybody sends can
 * at most take the slot of another one. It is taken in when a slot is asked for the same hash twice in a row, so that parts which come once
 * are not.
 */
export class KnownParts<T> {
  readonly #slots: (Known<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #lastHashes = new Int32Array(SLOTS);

  /**
   * What text[start, text.length) means, as it is known or as `read` tells; undefined when it cannot be read. The hash is that of `hashed`,
   * by a caller who goes through the text anyway. What is read may be kept: nobody may change it.
   */
  find(hash: number, text: string, start: number, read: (part: string) => T | undefined): T | undefined {
    const slot = (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.#slots[slot];
    const length = text.length - start;
    if (known !== undefined && known.text.length === length && text.endsWith(known.text))
      return known.meaning;
    if (this.#lastHashes[slot] !== hash || length > MAX_LENGTH) {
      this.#lastHashes[slot] = hash;
      return read(text.slice(start));
    }
    const part = flat(text.slice(start));
    const meaning = read(part);
    if (meaning !== undefined) this.#slots[slot] = { text: part, meaning };
    return meaning;
  }
}

/** A hash with one more character of latin1. */
export function hashed(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

/** A copy that does not keep alive what it was cut from. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
