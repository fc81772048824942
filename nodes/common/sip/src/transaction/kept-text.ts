/** Several hundred messages; one object for the collector instead of as many strings. */
const CHUNK_BYTES = 262_144;

let chunk = Buffer.alloc(0);
let used = 0;

/**
 * Wire text that must outlive its message, for up to 32 s: copied once into a chunk of bytes outside the heap, which is freed
 * with the last text in it. A string put together from slices would keep every piece, and the text they were cut from, alive.
 */
export class KeptText {
  readonly #chunk: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(text: string) {
    if (used + text.length > chunk.length) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, text.length));
      used = 0;
    }
    this.#chunk = chunk;
    this.#start = used;
    used += chunk.write(text, used, "latin1");
    this.#end = used;
  }

  toString(): string {
    return this.#chunk.toString("latin1", this.#start, this.#end);
  }
}
