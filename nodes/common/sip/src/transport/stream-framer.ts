import type { GarbageReason } from "./transport.ts";

/** Takes what the framer finds; `onMessage` returns false to stop the rest of the read (the stream was closed). */
export interface FramerSink {
  onMessage(text: string): boolean;
  /** RFC 5626 §4.4.1: a double CRLF between messages. */
  onPing(): void;
  /** A single CRLF; true when it is the answer to a ping of ours and so half of no ping. */
  onLineEnd?(): boolean;
}

const CR = 13;
const LF = 10;
const JOIN_EVERY = 1_024;

/**
 * Cuts a byte stream (latin1 text) into SIP messages: RFC 3261 §18.3 and §7.5. Every character is looked at a bounded
 * number of times, however small the pieces in which it arrives.
 */
export class StreamFramer {
  readonly #maxBytes: number;
  readonly #sink: FramerSink;
  /** Start of a message that is not complete. Appended to only, read only when complete: V8 joins the pieces then. */
  #rest = "";
  /** What follows #rest, in small pieces: a string of single characters would take 32 times its length. */
  #loose: string[] = [];
  #length = 0;
  /** The last three characters of #rest while the end of the headers is being looked for. */
  #tail = "";
  /** Length of the whole message once its headers are complete, else 0. */
  #need = 0;
  /** CRLFs seen since the last message or ping. */
  #crlfs = 0;
  #afterCr = false;

  constructor(maxBytes: number, sink: FramerSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** True while the beginning of a message waits for its end. */
  get partial(): boolean {
    return this.#rest.length > 0;
  }

  /** What has arrived of an incomplete message. */
  get pending(): string {
    return this.#join();
  }

  /** The reason why the stream cannot go on, or undefined. After a reason the framer must not be used again. */
  push(chunk: string): GarbageReason | undefined {
    if (this.#rest === "") return this.#scan(chunk, 0);
    return this.#need > 0 ? this.#fillBody(chunk) : this.#fillHead(chunk);
  }

  #fillHead(chunk: string): GarbageReason | undefined {
    const found = (this.#tail + chunk.slice(0, 3)).indexOf("\r\n\r\n");
    const from = this.#length;
    let end = found >= 0 ? from - this.#tail.length + found : -1;
    if (end < 0) {
      const inChunk = chunk.indexOf("\r\n\r\n");
      if (inChunk >= 0) end = from + inChunk;
    }
    this.#append(chunk);
    if (end < 0) {
      this.#tail = (this.#tail + chunk.slice(-3)).slice(-3);
      return this.#length > this.#maxBytes ? "tooLarge" : undefined;
    }
    const text = this.#join();
    const length = contentLength(text, 0, end);
    if (typeof length === "string") return length;
    const need = end + 4 + length;
    if (need > this.#maxBytes) return "tooLarge";
    if (text.length < need) {
      this.#need = need;
      return undefined;
    }
    return this.#complete(text, need);
  }

  #fillBody(chunk: string): GarbageReason | undefined {
    this.#append(chunk);
    return this.#length < this.#need ? undefined : this.#complete(this.#join(), this.#need);
  }

  #append(chunk: string): void {
    this.#length += chunk.length;
    if (this.#loose.push(chunk) === JOIN_EVERY) this.#join();
  }

  #join(): string {
    if (this.#loose.length > 0) {
      this.#rest += this.#loose.join("");
      this.#loose = [];
    }
    return this.#rest;
  }

  #complete(text: string, need: number): GarbageReason | undefined {
    this.#reset();
    if (text.length === need) {
      this.#sink.onMessage(text);
      return undefined;
    }
    return this.#sink.onMessage(text.slice(0, need)) ? this.#scan(text, need) : undefined;
  }

  #scan(text: string, start: number): GarbageReason | undefined {
    let at = start;
    for (;;) {
      at = this.#skipLineEnds(text, at);
      if (at === text.length) return undefined;
      if (this.#afterCr || !isTokenChar(text.charCodeAt(at))) return this.#garbage("notSip", text, at);
      this.#crlfs = 0;
      const end = text.indexOf("\r\n\r\n", at);
      if (end < 0) {
        this.#keep(text, at);
        return this.#rest.length > this.#maxBytes ? "tooLarge" : undefined;
      }
      const length = contentLength(text, at, end);
      if (typeof length === "string") return this.#garbage(length, text, at);
      const next = end + 4 + length;
      if (next - at > this.#maxBytes) return this.#garbage("tooLarge", text, at);
      if (next > text.length) {
        this.#keep(text, at);
        this.#need = next - at;
        return undefined;
      }
      if (!this.#sink.onMessage(at === 0 && next === text.length ? text : text.slice(at, next)))
        return undefined;
      at = next;
    }
  }

  /** RFC 3261 §7.5: CRLFs before a start-line are ignored; two in a row are a ping (RFC 5626 §4.4.1). */
  #skipLineEnds(text: string, start: number): number {
    let at = start;
    for (; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      if (char === CR && !this.#afterCr) {
        this.#afterCr = true;
      } else if (char === LF && this.#afterCr) {
        this.#afterCr = false;
        if (this.#sink.onLineEnd?.() === true) continue;
        this.#crlfs += 1;
        if (this.#crlfs === 2) {
          this.#crlfs = 0;
          this.#sink.onPing();
        }
      } else break;
    }
    return at;
  }

  #keep(text: string, at: number): void {
    this.#rest = at === 0 ? text : text.slice(at);
    this.#length = this.#rest.length;
    this.#tail = this.#rest.slice(-3);
  }

  #garbage(reason: GarbageReason, text: string, at: number): GarbageReason {
    this.#rest = text.slice(at, at + this.#maxBytes);
    return reason;
  }

  #reset(): void {
    this.#rest = "";
    this.#loose = [];
    this.#length = 0;
    this.#tail = "";
    this.#need = 0;
  }
}

/**
 * Value of the Content-Length header field between `start` and `end` (the CRLFCRLF), both spellings, folded or not:
 * RFC 3261 §20.14, §7.3.1. Every occurrence must say the same, else two readers could cut the stream differently.
 */
function contentLength(text: string, start: number, end: number): number | GarbageReason {
  let value = -1;
  let line = text.indexOf("\r\n", start) + 2;
  while (line <= end) {
    const colon = nameEnd(text, line);
    if (colon > 0) {
      const one = number(text, colon + 1, end);
      if (one < 0) return "badContentLength";
      if (value >= 0 && value !== one) return "conflictingContentLength";
      value = one;
    }
    line = text.indexOf("\r\n", line) + 2;
  }
  return value < 0 ? "noContentLength" : value;
}

/** Position of the colon when the line is a Content-Length header field, else 0. */
function nameEnd(text: string, line: number): number {
  const first = text.charCodeAt(line) | 32;
  let at: number;
  if (first === 108) at = line + 1;
  else if (first === 99 && (text.charCodeAt(line + 8) | 32) === 108) {
    if (text.slice(line, line + 14).toLowerCase() !== "content-length") return 0;
    at = line + 14;
  } else return 0;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return text.charCodeAt(at) === 58 ? at : 0;
}

/** A run of digits with LWS around, or -1. Nine digits at most: anything longer is beyond every size limit. */
function number(text: string, start: number, end: number): number {
  let at = skipLws(text, start);
  const first = at;
  let value = 0;
  for (let digit = text.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(at) - 48) {
    value = value * 10 + digit;
    at += 1;
    if (value > 999_999_999) return value;
  }
  if (at === first) return -1;
  at = skipLws(text, at);
  return at >= end || (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) ? value : -1;
}

/** RFC 3261 §25.1 LWS: blanks, or a line end followed by a blank. */
function skipLws(text: string, start: number): number {
  let at = start;
  for (;;) {
    if (isBlank(text.charCodeAt(at))) at += 1;
    else if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF && isBlank(text.charCodeAt(at + 2)))
      at += 3;
    else return at;
  }
}

function isBlank(char: number): boolean {
  return char === 32 || char === 9;
}

/** RFC 3261 §25.1 token. */
function isTokenChar(char: number): boolean {
  if (char >= 97 && char <= 122) return true;
  if (char >= 65 && char <= 90) return true;
  if (char >= 48 && char <= 57) return true;
  return char > 32 && char < 127 && "-.!%*_+`'~".includes(String.fromCharCode(char));
}
