const SLAB_LENGTH = 64 * 1024;

/**
 * Where encoded messages are put one behind the other. A slab is never reused: what `take` returns belongs to the caller,
 * who may hand it to a socket without copying.
 */
export class Writer {
  bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_LENGTH);
  /** Where the next byte goes. */
  position = 0;
  #start = 0;

  /** Bytes written since the last `take`. */
  get pending(): number {
    return this.position - this.#start;
  }

  /** Makes room for `length` more bytes. What is pending may move to a new slab. */
  reserve(length: number): void {
    if (this.position + length <= this.bytes.length) return;
    const pending = this.position - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_LENGTH, (pending + length) * 2));
    this.bytes.copy(slab, 0, this.#start, this.position);
    this.bytes = slab;
    this.#start = 0;
    this.position = pending;
  }

  /** Where the next message begins, counted from the first pending byte. Survives `reserve`. */
  mark(): number {
    return this.position - this.#start;
  }

  /** The index in `bytes` of a mark. */
  at(mark: number): number {
    return this.#start + mark;
  }

  /** Forgets what was written after `mark`. */
  rewind(mark: number): void {
    this.position = this.#start + mark;
  }

  /** All pending bytes, undefined when there are none. */
  take(): Buffer | undefined {
    if (this.position === this.#start) return undefined;
    const taken = this.bytes.subarray(this.#start, this.position);
    this.#start = this.position;
    return taken;
  }
}
