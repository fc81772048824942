import { endianness } from "node:os";
import { type Flushable, flushAtTurnEnd } from "@ims/runtime";
import {
  type DatagramHandler,
  type DatagramPeer,
  type DatagramSocket,
  type DatagramSource,
  FIRST_TEXT,
  RECEIVE_BUFFER,
} from "./datagram-socket.ts";
import {
  ALONE,
  AMONG_OTHERS,
  BATCH,
  type MmsgAddon,
  type MmsgHandle,
  ROW_WORDS,
  WAITED_WORD,
} from "./mmsg-addon.ts";
import type { SharedPort } from "./transport.ts";
import { Ipv6Words, type WireAddress } from "./wire-address.ts";

/** Room for the longest datagram; a little more, so that slots do not fall on the same cache lines. */
const SLOT = 65_536 + 320;
const OUT_BYTES = 1_048_576;
const OUT_ROWS = 512;

/**
 * A UDP socket by recvmmsg and sendmmsg: what a turn of the loop sends goes out in one system call, and a datagram received
 * costs one string.
 */
export class MmsgSocket implements DatagramSocket, Flushable {
  readonly #addon: MmsgAddon;
  readonly #family: 4 | 6;
  readonly #in = Buffer.allocUnsafeSlow(BATCH * SLOT);
  readonly #inRows = Buffer.allocUnsafeSlow(BATCH * ROW_WORDS * 4);
  readonly #inWords = new Uint32Array(this.#inRows.buffer);
  readonly #out = Buffer.allocUnsafeSlow(OUT_BYTES);
  readonly #outRows = Buffer.allocUnsafeSlow(OUT_ROWS * ROW_WORDS * 4);
  readonly #outWords = new Uint32Array(this.#outRows.buffer);
  #outUsed = 0;
  #outCount = 0;
  #handle: MmsgHandle | undefined;
  /** Row of the datagram that is handled, and when its batch was read, monotonic ms. */
  #row = 0;
  #readAt = 0;

  constructor(family: 4 | 6, addon: MmsgAddon) {
    this.#family = family;
    this.#addon = addon;
  }

  bind(host: string, port: number, handler: DatagramHandler, shared?: SharedPort): Promise<number> {
    const how = shared === undefined ? ALONE : (shared.descriptor ?? AMONG_OTHERS);
    const source = new Source(this.#addon, this.#inRows, this.#inWords, this.#family);
    const buffers = [this.#in, this.#inRows, this.#out, this.#outRows] as const;
    const ready = (): void => this.#read(handler, source);
    return new Promise((resolve) => {
      const handle = this.#addon.open(this.#family, host, port, RECEIVE_BUFFER, buffers, ready, how);
      this.#handle = handle;
      resolve(this.#addon.port(handle));
    });
  }

  get waitedMs(): number {
    return (this.#inWords[this.#row + WAITED_WORD] ?? 0) / 1000 + performance.now() - this.#readAt;
  }

  /** "" for what cannot be sent to. */
  wire(address: string): WireAddress {
    const percent = address.indexOf("%");
    const bytes = this.#addon.addressBytes(percent < 0 ? address : address.slice(0, percent));
    if (bytes === undefined) return "";
    const read = endianness() === "LE" ? "readInt32LE" : "readInt32BE";
    if (bytes.length === 4) return bytes[read](0);
    const words = new Ipv6Words();
    words.first = bytes[read](0);
    words.second = bytes[read](4);
    words.third = bytes[read](8);
    words.fourth = bytes[read](12);
    words.scope = percent < 0 ? 0 : Number(address.slice(percent + 1)) | 0;
    return words;
  }

  sendText(text: string, to: DatagramPeer): void {
    if (this.#makeRoom(text.length, to)) this.#queue(this.#out.write(text, this.#outUsed, "latin1"), to);
  }

  sendBytes(bytes: Uint8Array, to: DatagramPeer): void {
    if (!this.#makeRoom(bytes.length, to)) return;
    this.#out.set(bytes, this.#outUsed);
    this.#queue(bytes.length, to);
  }

  flush(): void {
    const count = this.#outCount;
    this.#outCount = 0;
    this.#outUsed = 0;
    if (count > 0 && this.#handle !== undefined) this.#addon.send(this.#handle, count);
  }

  close(): Promise<void> {
    this.flush();
    if (this.#handle !== undefined) this.#addon.close(this.#handle);
    this.#handle = undefined;
    return Promise.resolve();
  }

  /** False for what cannot be sent: an address of the other family among it. */
  #makeRoom(length: number, { wire }: DatagramPeer): boolean {
    if (this.#handle === undefined || length > OUT_BYTES) return false;
    if (typeof wire !== (this.#family === 4 ? "number" : "object")) return false;
    if (this.#outUsed + length > OUT_BYTES || this.#outCount === OUT_ROWS) this.flush();
    return true;
  }

  #queue(length: number, { wire, remotePort }: DatagramPeer): void {
    const row = this.#outCount * ROW_WORDS;
    const words = this.#outWords;
    words[row] = length;
    words[row + 1] = remotePort;
    if (typeof wire === "number") {
      words[row + 2] = 0;
      words[row + 3] = wire;
    } else if (typeof wire === "object") {
      words[row + 2] = wire.scope;
      words[row + 3] = wire.first;
      words[row + 4] = wire.second;
      words[row + 5] = wire.third;
      words[row + 6] = wire.fourth;
    }
    this.#outUsed += length;
    if (this.#outCount++ === 0) flushAtTurnEnd(this);
  }

  /** One batch a turn: other sockets and timers want their turn too, and where there is more the next turn comes at once. */
  #read(handler: DatagramHandler, source: Source): void {
    const count = this.#handle === undefined ? 0 : this.#addon.receive(this.#handle);
    this.#readAt = performance.now();
    for (let index = 0; index < count; index++) {
      source.take(index);
      this.#row = index * ROW_WORDS;
      const start = index * SLOT;
      const end = start + source.length;
      if (source.length > 0 && (this.#in[start] ?? 0) >= FIRST_TEXT)
        handler.onText(this.#in.toString("latin1", start, end), source);
      else handler.onBytes(this.#in.subarray(start, end), source);
    }
  }
}

/** The far end of the datagram in a row; one object for all. */
class Source implements DatagramSource {
  readonly #addon: MmsgAddon;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #family: 4 | 6;
  #row = 0;
  length = 0;
  remotePort = 0;
  wire: number | Ipv6Words;

  constructor(addon: MmsgAddon, bytes: Buffer, words: Uint32Array, family: 4 | 6) {
    this.#addon = addon;
    this.#bytes = bytes;
    this.#words = words;
    this.#family = family;
    this.wire = family === 4 ? 0 : new Ipv6Words();
  }

  take(index: number): void {
    const row = index * ROW_WORDS;
    const words = this.#words;
    this.#row = row;
    this.length = words[row] ?? 0;
    this.remotePort = words[row + 1] ?? 0;
    const first = (words[row + 3] ?? 0) | 0;
    if (typeof this.wire === "number") {
      this.wire = first;
      return;
    }
    this.wire.first = first;
    this.wire.second = (words[row + 4] ?? 0) | 0;
    this.wire.third = (words[row + 5] ?? 0) | 0;
    this.wire.fourth = (words[row + 6] ?? 0) | 0;
    this.wire.scope = (words[row + 2] ?? 0) | 0;
  }

  get address(): string {
    const at = (this.#row + 3) * 4;
    const text = this.#addon.addressText(this.#bytes.subarray(at, at + (this.#family === 4 ? 4 : 16)));
    const scope = this.#words[this.#row + 2] ?? 0;
    return scope === 0 ? text : `${text}%${scope}`;
  }
}
