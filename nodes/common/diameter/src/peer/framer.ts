import { HEADER_LENGTH, messageLength, VERSION } from "../codec/header.ts";

/** Cuts a byte stream into Diameter messages (RFC 6733 §3: version and length lead the header). */
export class Framer {
  readonly #maxLength: number;
  readonly #onMessage: (bytes: Buffer, start: number, end: number) => void;
  readonly #onBroken: (header: Buffer) => void;
  /** The beginning of a message whose rest has not come. Never longer than `maxLength`. */
  #rest: Buffer = Buffer.alloc(0);
  #restLength = 0;
  #ended = false;

  /**
   * `onMessage` gets each whole message; its bytes are only good during the call. `onBroken` gets a header with a version
   * or a length that cannot be: where the next message begins is unknown, and nothing more is read.
   */
  constructor(
    maxLength: number,
    onMessage: (bytes: Buffer, start: number, end: number) => void,
    onBroken: (header: Buffer) => void,
  ) {
    this.#maxLength = maxLength;
    this.#onMessage = onMessage;
    this.#onBroken = onBroken;
  }

  /** Nothing that is still to come, or left of the current chunk, is of interest. */
  end(): void {
    this.#ended = true;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (this.#restLength > 0 && at < chunk.length && !this.#ended) at = this.#complete(chunk, at);
    while (chunk.length - at >= HEADER_LENGTH && !this.#ended) {
      const length = this.#lengthAt(chunk, at);
      if (length === undefined) return;
      if (at + length > chunk.length) break;
      this.#onMessage(chunk, at, at + length);
      at += length;
    }
    if (at < chunk.length && !this.#ended) this.#keep(chunk, at, chunk.length);
  }

  /** Adds to the message that has begun; returns how far `chunk` is used. */
  #complete(chunk: Buffer, at: number): number {
    const wanted = this.#restLength < HEADER_LENGTH ? HEADER_LENGTH : messageLength(this.#rest, 0);
    const end = Math.min(chunk.length, at + wanted - this.#restLength);
    this.#keep(chunk, at, end);
    if (this.#restLength < wanted) return end;
    if (wanted === HEADER_LENGTH) {
      const length = this.#lengthAt(this.#rest, 0);
      if (length === undefined || length > HEADER_LENGTH) return end;
    }
    const whole = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#restLength = 0;
    this.#onMessage(whole, 0, wanted);
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const length = this.#restLength + end - start;
    if (this.#rest.length < length) {
      const known = this.#restLength >= HEADER_LENGTH ? messageLength(this.#rest, 0) : length;
      const grown = Buffer.allocUnsafe(Math.max(known, HEADER_LENGTH));
      this.#rest.copy(grown, 0, 0, this.#restLength);
      this.#rest = grown;
    }
    chunk.copy(this.#rest, this.#restLength, start, end);
    this.#restLength = length;
  }

  #lengthAt(bytes: Buffer, at: number): number | undefined {
    const length = messageLength(bytes, at);
    const sane = length >= HEADER_LENGTH && length <= this.#maxLength && length % 4 === 0;
    if (bytes[at] === VERSION && sane) return length;
    this.#ended = true;
    this.#onBroken(Buffer.from(bytes.subarray(at, at + HEADER_LENGTH)));
    return undefined;
  }
}
