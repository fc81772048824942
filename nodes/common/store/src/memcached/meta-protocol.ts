/** Return codes of the meta commands; SE stands for SERVER_ERROR, after which the connection can be used on. */
export type ReplyCode = "VA" | "HD" | "EN" | "NF" | "NS" | "EX" | "MN" | "SE";

/** One reply of memcached to a meta command. */
export interface Reply {
  readonly code: ReplyCode;
  /** Flag c: names the stored item on that server for as long as it runs; 0 without. */
  readonly cas: number;
  /** Flag t: seconds to live, -1 for ever; 0 without. */
  readonly seconds: number;
  /** Flag O as it was sent; -1 without. */
  readonly opaque: number;
  /** Of VA; a copy. */
  readonly value: Buffer | undefined;
  /** The whole line of SE. */
  readonly text: string;
}

export interface ReplyHandler {
  reply(reply: Reply): void;
  /** The stream cannot be followed any more; nothing else comes. */
  broken(reason: string): void;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** memcached allows keys of 250 bytes; without flag k its lines are far shorter than this. */
const MAX_LINE = 2048;

const CODES: ReadonlyMap<number, ReplyCode> = new Map(
  (["VA", "HD", "EN", "NF", "NS", "EX", "MN"] as const).map((code) => [
    (code.charCodeAt(0) << 8) | code.charCodeAt(1),
    code,
  ]),
);

/** Reads replies out of a stream in one pass; chunks may be cut anywhere and are only good during `push`. */
export class ReplyParser {
  readonly #handler: ReplyHandler;
  readonly #maxValueBytes: number;
  /** Start of a line whose end has not come. */
  #line: Buffer | undefined;
  /** A value, with its line end, of which the first `#filled` bytes have come. */
  #value: Buffer | undefined;
  #filled = 0;
  #head: Omit<Reply, "value"> | undefined;
  #dead = false;

  constructor(maxValueBytes: number, handler: ReplyHandler) {
    this.#maxValueBytes = maxValueBytes;
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    let at = 0;
    if (this.#value !== undefined) at = this.#fill(chunk);
    while (at < chunk.length && !this.#dead) {
      const end = chunk.indexOf(LF, at);
      if (end < 0) {
        const rest = chunk.subarray(at);
        this.#line = this.#line === undefined ? Buffer.from(rest) : Buffer.concat([this.#line, rest]);
        if (this.#line.length > MAX_LINE) this.#break("a line without an end");
        return;
      }
      const line =
        this.#line === undefined ? chunk : Buffer.concat([this.#line, chunk.subarray(at, end + 1)]);
      const lineEnd = line === chunk ? end : line.length - 1;
      const next = this.#read(line, line === chunk ? at : 0, lineEnd);
      this.#line = undefined;
      if (this.#head !== undefined) at = this.#begin(next - lineEnd - 1, chunk, end + 1);
      else at = line === chunk ? next : end + 1;
    }
  }

  /** Nothing more is handed out. */
  end(): void {
    this.#dead = true;
  }

  /**
   * Reads the line in [start, end) and, if all of it is in `bytes`, the value behind it; gives where the next reply starts.
   * When the value is not there completely, `#head` is set.
   */
  #read(bytes: Buffer, start: number, end: number): number {
    if (end - start > MAX_LINE || end - start < 3 || bytes[end - 1] !== CR) return this.#break("not a line");
    const code = CODES.get(((bytes[start] as number) << 8) | (bytes[start + 1] as number));
    const after = bytes[start + 2];
    if (code === undefined || (after !== SPACE && after !== CR)) return this.#other(bytes, start, end);
    let at = start + 2;
    let size = 0;
    if (code === "VA") {
      size = number(bytes, at + 1, end - 1);
      if (!(size >= 0 && size <= this.#maxValueBytes)) return this.#break("a value of impossible size");
      at = nextSpace(bytes, at + 1, end - 1);
    }
    let cas = 0;
    let seconds = 0;
    let opaque = -1;
    while (at < end - 1) {
      // A flag letter follows each space, its token follows the letter.
      const flag = bytes[at + 1];
      const next = nextSpace(bytes, at + 1, end - 1);
      if (flag === 0x63) cas = number(bytes, at + 2, end - 1);
      else if (flag === 0x74) seconds = signed(bytes, at + 2, end - 1);
      else if (flag === 0x4f) opaque = number(bytes, at + 2, end - 1);
      at = next;
    }
    if (!(Number.isSafeInteger(cas) && Number.isSafeInteger(seconds) && Number.isSafeInteger(opaque)))
      return this.#break("a flag that is no number");
    if (code !== "VA") {
      this.#handler.reply({ code, cas, seconds, opaque, value: undefined, text: "" });
      return end + 1;
    }
    const valueEnd = end + 1 + size;
    if (valueEnd + 2 > bytes.length) {
      this.#head = { code, cas, seconds, opaque, text: "" };
      return valueEnd + 2;
    }
    if (bytes[valueEnd] !== CR || bytes[valueEnd + 1] !== LF) return this.#break("a value of another length");
    const value = Buffer.allocUnsafe(size);
    bytes.copy(value, 0, end + 1, valueEnd);
    this.#handler.reply({ code, cas, seconds, opaque, value, text: "" });
    return valueEnd + 2;
  }

  /** Starts to collect a value of `length` bytes with its line end; gives where `#fill` stopped. */
  #begin(length: number, chunk: Buffer, at: number): number {
    this.#value = Buffer.allocUnsafe(length);
    this.#filled = 0;
    return at + this.#fill(chunk.subarray(at));
  }

  #fill(chunk: Buffer): number {
    const value = this.#value as Buffer;
    const taken = chunk.copy(value, this.#filled);
    this.#filled += taken;
    const head = this.#head;
    if (this.#filled < value.length || head === undefined) return taken;
    this.#value = undefined;
    this.#head = undefined;
    const size = value.length - 2;
    if (value[size] !== CR || value[size + 1] !== LF) this.#break("a value of another length");
    else this.#handler.reply({ ...head, value: value.subarray(0, size) });
    return taken;
  }

  #other(bytes: Buffer, start: number, end: number): number {
    const text = bytes.toString("latin1", start, end - 1);
    if (!text.startsWith("SERVER_ERROR")) return this.#break(`"${printable(text)}"`);
    this.#handler.reply({ code: "SE", cas: 0, seconds: 0, opaque: -1, value: undefined, text });
    return end + 1;
  }

  #break(reason: string): number {
    if (!this.#dead) {
      this.#dead = true;
      this.#handler.broken(reason);
    }
    return Number.POSITIVE_INFINITY;
  }
}

function nextSpace(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== SPACE) at++;
  return at;
}

/** NaN unless decimal digits stand there, up to a space or the end. */
function number(bytes: Buffer, from: number, end: number): number {
  let value = 0;
  let at = from;
  for (; at < end && bytes[at] !== SPACE; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return at === from ? Number.NaN : value;
}

function signed(bytes: Buffer, from: number, end: number): number {
  return bytes[from] === 0x2d ? -number(bytes, from + 1, end) : number(bytes, from, end);
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
}
