/** Several hundred messages; one object for the collector instead of as many strings. */
const CHUNK_BYTES = 262_144;
/** Chunks that wait for text: what goes on being kept at a steady load needs few. */
const MOST_FREE = 64;

interface Chunk {
  readonly bytes: Buffer;
  used: number;
  /** Texts in it that were not released. */
  live: number;
}

/**
 * Chunks are filled again when all their text was released: memory outside the heap that comes and goes at the rate of the traffic has
 * the collector run in the middle of messages. Text that is forgotten without a release goes with its chunk, as garbage.
 */
const free: Chunk[] = [];
let current = newChunk(CHUNK_BYTES);

/**
 * Wire text that must outlive its message, for up to 32 s: copied once into a chunk of bytes outside the heap. A string put together
 * from slices would keep every piece, and the text they were cut from, alive.
 */
export class KeptText {
  #chunk: Chunk | undefined;
  readonly #start: number;
  readonly #end: number;

  constructor(text: string) {
    if (current.used + text.length > current.bytes.length) {
      const next = text.length > CHUNK_BYTES ? newChunk(text.length) : (free.pop() ?? newChunk(CHUNK_BYTES));
      current = next;
    }
    this.#chunk = current;
    this.#start = current.used;
    current.used += current.bytes.write(text, current.used, "latin1");
    current.live++;
    this.#end = current.used;
  }

  /** "" after its release. */
  toString(): string {
    return this.#chunk?.bytes.toString("latin1", this.#start, this.#end) ?? "";
  }

  /** Nobody will ask for it again. */
  release(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#chunk = undefined;
    chunk.live--;
    if (chunk.live > 0) return;
    chunk.used = 0;
    if (chunk !== current && chunk.bytes.length === CHUNK_BYTES && free.length < MOST_FREE) free.push(chunk);
  }
}

function newChunk(size: number): Chunk {
  return { bytes: Buffer.allocUnsafeSlow(size), used: 0, live: 0 };
}
