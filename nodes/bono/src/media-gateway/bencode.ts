/** A value as it is read: names of the wire are keys of maps. Strings are octets, one char each (latin1). */
export type Bencoded = string | number | readonly Bencoded[] | ReadonlyMap<string, Bencoded>;

/** A value to write; what is undefined is left out. */
export type Bencodable =
  | string
  | number
  | readonly Bencodable[]
  | { readonly [key: string]: Bencodable | undefined };

/** Deeper than any answer of a gateway, and no danger to the stack. */
const MAX_DEPTH = 32;

/** Bencoding as BitTorrent defines it (BEP 3), but for the order of keys, which readers of the ng protocol do not look at. */
export function bencode(value: Bencodable): string {
  if (typeof value === "string") return `${value.length}:${value}`;
  if (typeof value === "number") return `i${Math.trunc(value)}e`;
  if (isList(value)) return `l${value.map(bencode).join("")}e`;
  let out = "d";
  for (const [key, one] of Object.entries(value)) if (one !== undefined) out += bencode(key) + bencode(one);
  return `${out}e`;
}

/** The one value that a text is; undefined when it is none, or more. */
export function bdecode(text: string): Bencoded | undefined {
  const reader = new Reader(text);
  const value = reader.value(0);
  return reader.at === text.length ? value : undefined;
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value);
}

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Bencoded | undefined {
    if (depth > MAX_DEPTH) return undefined;
    switch (this.#text[this.at]) {
      case "i":
        this.at += 1;
        return this.#integer("e");
      case "l":
        this.at += 1;
        return this.#list(depth);
      case "d":
        this.at += 1;
        return this.#dictionary(depth);
      default:
        return this.#string();
    }
  }

  #list(depth: number): Bencoded | undefined {
    const list: Bencoded[] = [];
    while (this.#text[this.at] !== "e") {
      const one = this.value(depth + 1);
      if (one === undefined) return undefined;
      list.push(one);
    }
    this.at += 1;
    return list;
  }

  #dictionary(depth: number): Bencoded | undefined {
    const dictionary = new Map<string, Bencoded>();
    while (this.#text[this.at] !== "e") {
      const key = this.#string();
      const one = key === undefined ? undefined : this.value(depth + 1);
      if (key === undefined || one === undefined) return undefined;
      dictionary.set(key, one);
    }
    this.at += 1;
    return dictionary;
  }

  #string(): string | undefined {
    const length = this.#integer(":");
    if (length === undefined || length < 0 || this.at + length > this.#text.length) return undefined;
    const from = this.at;
    this.at += length;
    return this.#text.slice(from, this.at);
  }

  /** Up to `end`, which is read too. */
  #integer(end: string): number | undefined {
    const stop = this.#text.indexOf(end, this.at);
    // No number is longer: what follows need not be looked through.
    if (stop < 0 || stop - this.at > 20) return undefined;
    const digits = this.#text.slice(this.at, stop);
    if (!/^-?[0-9]+$/.test(digits)) return undefined;
    this.at = stop + 1;
    return Number(digits);
  }
}
