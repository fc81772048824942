import { isSpace } from "./chars.ts";
import {
  type HeaderId,
  HeaderIds,
  type HeaderName,
  type HeaderSet,
  headerIdOf,
  headerNameOf,
  isCommaList,
} from "./header-names.ts";
import { parameterAt } from "./parameters.ts";
import { RouteValue } from "./route-value.ts";
import { parseUri, type Uri } from "./uri.ts";
import { decimal, endOfValue, splitList, unfold } from "./values.ts";
import { parseVia, type Via } from "./via.ts";

/** Fields of the header table: number of the name, start of the name, start of the value, end of the line. */
const WIDTH = 4;

/** Octets of a request beside method, Request-URI, lines and body, and of a response beside reason, lines and body. */
const AROUND_URI = "  SIP/2.0\r\n\r\n".length;
const AROUND_REASON = "SIP/2.0 200 \r\n\r\n".length;

const { Via: VIA, Route: ROUTE, From: FROM, To: TO, "Call-ID": CALL_ID, CSeq: CSEQ } = HeaderIds;

/**
 * A SIP message as latin1 text plus a table of where its header fields stand; values are cut out only when asked for,
 * and an edit changes the table, never the text. A line not from the received text has a negative "start of the name":
 * the index of its text in `added`. Header fields not touched leave byte for byte as they came.
 */
export class SipMessage {
  readonly #text: string;
  readonly #bodyStart: number;
  readonly #table: number[];
  readonly #added: string[];
  /** Some lines of the text go on in the next one. */
  readonly #folded: boolean;
  #body: string | undefined;
  #topVia: Via | undefined;
  /** Shared with copies until a Route line changes. */
  #routes: readonly RouteValue[] | undefined;
  #target: Uri | undefined;
  /** What #target was read from. */
  #targetText = "";
  /** What every layer asks for again; undefined: not read yet. */
  #callId: string | undefined;
  #fromTag: string | undefined;
  #toTag: string | undefined;
  #cseqMethod: string | undefined;
  #cseqNumber = -1;

  /** Of a request, else "". */
  method: string;
  /** Of a request, as written; assign to retarget. */
  requestUri: string;
  /** Of a response, else 0. */
  readonly status: number;
  readonly reason: string;

  /**
   * `table` belongs to the message from here on. Prefer SipMessage.request, SipMessage.response and parseMessage. Listed, not
   * named: one of these is made for every message that passes.
   */
  constructor(
    text: string,
    bodyStart: number,
    table: number[],
    added: string[],
    body: string | undefined,
    method: string,
    requestUri: string,
    status: number,
    reason: string,
    folded: boolean,
  ) {
    this.#text = text;
    this.#bodyStart = bodyStart;
    this.#table = table;
    this.#added = added;
    this.#folded = folded;
    this.#body = body;
    this.#topVia = undefined;
    this.#routes = undefined;
    this.#target = undefined;
    this.#callId = undefined;
    this.#fromTag = undefined;
    this.#toTag = undefined;
    this.#cseqMethod = undefined;
    this.method = method;
    this.requestUri = requestUri;
    this.status = status;
    this.reason = reason;
  }

  static request(method: string, requestUri: string): SipMessage {
    return new SipMessage("", 0, [], [], "", method, requestUri, 0, "", false);
  }

  static response(status: number, reason: string): SipMessage {
    return new SipMessage("", 0, [], [], "", "", "", status, reason, false);
  }

  get isRequest(): boolean {
    return this.status === 0;
  }

  /** An independent copy; the received text is shared. */
  clone(): SipMessage {
    const copy = new SipMessage(
      this.#text,
      this.#bodyStart,
      this.#table.slice(),
      this.#added.slice(),
      this.#body,
      this.method,
      this.requestUri,
      this.status,
      this.reason,
      this.#folded,
    );
    copy.#routes = this.#routes;
    copy.#target = this.#target;
    copy.#targetText = this.#targetText;
    copy.#callId = this.#callId;
    copy.#fromTag = this.#fromTag;
    copy.#toTag = this.#toTag;
    copy.#cseqMethod = this.#cseqMethod;
    copy.#cseqNumber = this.#cseqNumber;
    return copy;
  }

  get body(): string {
    return this.#body ?? this.#text.slice(this.#bodyStart);
  }

  /** Replaces the body and makes Content-Length agree. */
  setBody(body: string, contentType?: string): this {
    this.#body = body;
    if (contentType !== undefined) this.set("Content-Type", contentType);
    return this.set("Content-Length", String(body.length));
  }

  /** Octets on the wire, without making the text. */
  get length(): number {
    const table = this.#table;
    let length = this.isRequest
      ? this.method.length + this.requestUri.length + AROUND_URI
      : this.reason.length + AROUND_REASON;
    for (let at = 0; at < table.length; at += WIDTH) {
      const start = table[at + 1] ?? 0;
      length += 2 + (start < 0 ? (this.#added[-start - 1]?.length ?? 0) : (table[at + 3] ?? 0) - start);
    }
    return length + (this.#body?.length ?? this.#text.length - this.#bodyStart);
  }

  /** Drops octets beyond Content-Length (RFC 3261 §18.3). */
  truncateBody(length: number): void {
    this.#body = this.body.slice(0, length);
  }

  /** First line's value of that name, unfolded and trimmed; undefined when absent. */
  header(name: HeaderName): string | undefined {
    return this.#first(HeaderIds[name]);
  }

  has(name: HeaderName): boolean {
    return this.#find(HeaderIds[name]) >= 0;
  }

  /** Is there a line of any name in the set? One pass. */
  hasAny(set: HeaderSet): boolean {
    const table = this.#table;
    for (let at = 0; at < table.length; at += WIDTH) if (set.hasId(table[at] ?? 0)) return true;
    return false;
  }

  /** Lines of that name. */
  count(name: HeaderName): number {
    const id = HeaderIds[name];
    let count = 0;
    for (let at = 0; at < this.#table.length; at += WIDTH) if (this.#table[at] === id) count++;
    return count;
  }

  /** The first name of the set that has more than one line. */
  repeated(set: HeaderSet): string | undefined {
    const table = this.#table;
    let seen = 0;
    for (let at = 0; at < table.length; at += WIDTH) {
      const id = table[at] ?? 0;
      if (!set.hasId(id)) continue;
      const bit = 1 << set.indexOf(id);
      if ((seen & bit) !== 0) return headerNameOf(id);
      seen |= bit;
    }
    return undefined;
  }

  /** Have both the same lines of that name, byte for byte and in the same order? */
  hasSameLines(name: HeaderName, other: SipMessage): boolean {
    const id = HeaderIds[name];
    let theirs = other.#next(id, 0);
    for (let at = this.#next(id, 0); at >= 0; at = this.#next(id, at + WIDTH)) {
      if (theirs < 0 || this.#value(at) !== other.#value(theirs)) return false;
      theirs = other.#next(id, theirs + WIDTH);
    }
    return theirs < 0;
  }

  /** All values of that name in order, comma lists split. */
  values(name: HeaderName): string[] {
    return this.#values(HeaderIds[name]);
  }

  /** Values of Route in order, each read at most once in the life of the message and its copies. */
  get routes(): readonly RouteValue[] {
    this.#routes ??= this.#values(ROUTE).map((text) => new RouteValue(text));
    return this.#routes;
  }

  /** Request-URI; undefined when it cannot be read. */
  get target(): Uri | undefined {
    if (this.#targetText !== this.requestUri) {
      this.#target = parseUri(this.requestUri);
      this.#targetText = this.requestUri;
    }
    return this.#target;
  }

  /** First value of a comma list (top Route, top Via) over all its lines; undefined when there is none. */
  top(name: HeaderName): string | undefined {
    return this.#top(HeaderIds[name]);
  }

  /** Values of a header field by any name, also one this stack does not know; one string a line. */
  lines(name: string): string[] {
    const id = headerIdOf(name);
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table[at] !== id) continue;
      if (id === 0 && this.#name(at).toLowerCase() !== wanted) continue;
      values.push(this.#value(at));
    }
    return values;
  }

  /** Every line as [name as written, value], in order. */
  *entries(): Generator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#table.length; at += WIDTH) yield [this.#name(at), this.#value(at)];
  }

  /** Adds a line above all others (Via, Record-Route, Path, Route). */
  prepend(name: HeaderName, value: string): this {
    const id = HeaderIds[name];
    this.#table.unshift(id, this.#add(name, value), name.length + 2, 0);
    return this.#changed(id);
  }

  append(name: HeaderName, value: string): this {
    const id = HeaderIds[name];
    this.#table.push(id, this.#add(name, value), name.length + 2, 0);
    return this.#changed(id);
  }

  /** Adds a line with a name this stack does not know. */
  appendUnknown(name: string, value: string): this {
    const id = headerIdOf(name);
    this.#table.push(id, this.#add(name, value), name.length + 2, 0);
    return this.#changed(id);
  }

  /** Leaves exactly one line of that name, where the first one stood. */
  set(name: HeaderName, value: string): this {
    const id = HeaderIds[name];
    const at = this.#find(id);
    if (at < 0) return this.append(name, value);
    this.#table[at + 1] = this.#add(name, value);
    this.#table[at + 2] = name.length + 2;
    for (let more = at + WIDTH; more < this.#table.length; )
      if (this.#table[more] === id) this.#table.splice(more, WIDTH);
      else more += WIDTH;
    return this.#changed(id);
  }

  /** Removes every line of that name, in whatever spelling it came. */
  remove(name: HeaderName): this {
    const id = HeaderIds[name];
    for (let at = 0; at < this.#table.length; )
      if (this.#table[at] === id) this.#table.splice(at, WIDTH);
      else at += WIDTH;
    return this.#changed(id);
  }

  /** Removes every line of a name by any spelling, also one that this stack does not know. */
  removeNamed(name: string): this {
    const id = headerIdOf(name);
    const wanted = name.toLowerCase();
    for (let at = 0; at < this.#table.length; )
      if (this.#table[at] === id && (id !== 0 || this.#name(at).toLowerCase() === wanted))
        this.#table.splice(at, WIDTH);
      else at += WIDTH;
    return this.#changed(id);
  }

  /** Removes every line of every name in the set, in one pass. */
  removeAll(set: HeaderSet): this {
    const table = this.#table;
    let kept = 0;
    for (let at = 0; at < table.length; at += WIDTH) {
      if (set.hasId(table[at] ?? 0)) continue;
      if (kept !== at)
        for (let field = 0; field < WIDTH; field++) table[kept + field] = table[at + field] ?? 0;
      kept += WIDTH;
    }
    if (kept !== table.length) {
      table.length = kept;
      this.#topVia = undefined;
      this.#routes = undefined;
      this.#forget();
    }
    return this;
  }

  /** Replaces or (undefined) removes the first value of a comma list. */
  replaceTop(name: HeaderName, value: string | undefined): this {
    const id = HeaderIds[name];
    const at = this.#find(id);
    if (at < 0) return value === undefined ? this : this.prepend(name, value);
    this.#exchangeTop(at, name, value);
    return this.#changed(id);
  }

  /** Takes the first Route value off (RFC 3261 §16.4, §16.12). */
  popRoute(): this {
    const { routes } = this;
    if (routes.length === 0) return this;
    // Empty values are none, and go with it.
    while (this.#exchangeTop(this.#find(ROUTE), "Route", undefined) === "");
    this.#routes = routes.slice(1);
    return this;
  }

  /** Takes over every line of that name from another message, below what is here. */
  copy(name: HeaderName, from: SipMessage): this {
    const id = HeaderIds[name];
    for (let at = 0; at < from.#table.length; at += WIDTH)
      if (from.#table[at] === id) this.append(name, from.#value(at));
    return this;
  }

  /** Top Via, parsed once; undefined when absent or malformed. */
  get topVia(): Via | undefined {
    if (this.#topVia === undefined) {
      const value = this.#top(VIA);
      if (value !== undefined) this.#topVia = parseVia(value);
    }
    return this.#topVia;
  }

  get callId(): string {
    this.#callId ??= this.#first(CALL_ID) ?? "";
    return this.#callId;
  }

  get fromTag(): string {
    this.#fromTag ??= tagOf(this.#first(FROM));
    return this.#fromTag;
  }

  get toTag(): string {
    this.#toTag ??= tagOf(this.#first(TO));
    return this.#toTag;
  }

  /** CSeq sequence number, or -1 when malformed. */
  get cseqNumber(): number {
    if (this.#cseqMethod === undefined) this.#readCseq();
    return this.#cseqNumber;
  }

  get cseqMethod(): string {
    return this.#cseqMethod ?? this.#readCseq();
  }

  #readCseq(): string {
    const value = this.#first(CSEQ) ?? "";
    const end = endOfWord(value);
    this.#cseqNumber = decimal(value.slice(0, end)) ?? -1;
    this.#cseqMethod = value.slice(end).trim();
    return this.#cseqMethod;
  }

  /** The whole message, ready for the wire (latin1: one char, one byte). */
  toString(): string {
    const table = this.#table;
    let out = this.isRequest
      ? `${this.method} ${this.requestUri} SIP/2.0\r\n`
      : `SIP/2.0 ${this.status} ${this.reason}\r\n`;
    let runStart = -1;
    let runEnd = -1;
    for (let at = 0; at < table.length; at += WIDTH) {
      const start = table[at + 1] ?? 0;
      if (start < 0) {
        if (runStart >= 0) out += this.#text.slice(runStart, runEnd);
        runStart = -1;
        out += `${this.#added[-start - 1]}\r\n`;
        continue;
      }
      if (start !== runEnd) {
        if (runStart >= 0) out += this.#text.slice(runStart, runEnd);
        runStart = start;
      }
      runEnd = (table[at + 3] ?? 0) + 2;
      if (runStart < 0) runStart = start;
    }
    if (runStart >= 0) out += this.#text.slice(runStart, runEnd);
    return this.#body === undefined
      ? `${out}\r\n${this.#text.slice(this.#bodyStart)}`
      : `${out}\r\n${this.#body}`;
  }

  #values(id: HeaderId): string[] {
    const values: string[] = [];
    for (let at = 0; at < this.#table.length; at += WIDTH) {
      if (this.#table[at] !== id) continue;
      const value = this.#value(at);
      if (!isCommaList(id)) values.push(value);
      else if (value.includes(",")) values.push(...splitList(value));
      else {
        const only = value.trim();
        if (only !== "") values.push(only);
      }
    }
    return values;
  }

  /** Replaces or removes the first value of the line; returns what stood there. */
  #exchangeTop(at: number, name: HeaderName, value: string | undefined): string {
    const line = this.#value(at);
    const end = line.includes(",") ? endOfValue(line, 0, line.length) : line.length;
    const rest = line.slice(end + 1).trim();
    if (rest === "" && value === undefined) this.#table.splice(at, WIDTH);
    else {
      const left = value === undefined ? rest : rest === "" ? value : `${value}, ${rest}`;
      this.#table[at + 1] = this.#add(name, left);
      this.#table[at + 2] = name.length + 2;
    }
    return line.slice(0, end).trim();
  }

  #changed(id: HeaderId): this {
    if (id === VIA) this.#topVia = undefined;
    else if (id === ROUTE) this.#routes = undefined;
    else if (id === FROM || id === TO || id === CALL_ID || id === CSEQ) this.#forget();
    return this;
  }

  /** What was read of lines that are others now. */
  #forget(): void {
    this.#callId = undefined;
    this.#fromTag = undefined;
    this.#toTag = undefined;
    this.#cseqMethod = undefined;
  }

  #top(id: HeaderId): string | undefined {
    for (let at = this.#find(id); at >= 0; at = this.#next(id, at + WIDTH)) {
      const value = this.#value(at);
      if (!value.includes(",")) {
        if (value === "") continue;
        return value;
      }
      const first = value.slice(0, endOfValue(value, 0, value.length)).trim() || splitList(value)[0];
      if (first !== undefined) return first;
    }
    return undefined;
  }

  #first(id: HeaderId): string | undefined {
    const at = this.#find(id);
    return at < 0 ? undefined : this.#value(at);
  }

  #find(id: HeaderId): number {
    return this.#next(id, 0);
  }

  /** The line of that name from `at` on, -1 when there is none. */
  #next(id: HeaderId, at: number): number {
    const table = this.#table;
    for (; at < table.length; at += WIDTH) if (table[at] === id) return at;
    return -1;
  }

  #name(at: number): string {
    const start = this.#table[at + 1] ?? 0;
    if (start < 0) return this.#added[-start - 1]?.slice(0, (this.#table[at + 2] ?? 2) - 2) ?? "";
    const valueStart = this.#table[at + 2] ?? 0;
    const id = this.#table[at] ?? 0;
    const written = this.#text.slice(start, valueStart);
    const colon = written.indexOf(":");
    return colon < 0 ? headerNameOf(id) : written.slice(0, colon).trimEnd();
  }

  #value(at: number): string {
    const start = this.#table[at + 1] ?? 0;
    const valueStart = this.#table[at + 2] ?? 0;
    if (start < 0) return this.#added[-start - 1]?.slice(valueStart) ?? "";
    const value = trimmed(this.#text, valueStart, this.#table[at + 3] ?? valueStart);
    return this.#folded ? unfold(value) : value;
  }

  #add(name: string, value: string): number {
    return -this.#added.push(`${name}: ${value}`);
  }
}

/** A value as it counts: without the white space around it (RFC 3261 §7.3.1). */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function endOfWord(value: string): number {
  let at = 0;
  while (at < value.length && value.charCodeAt(at) > 0x20) at++;
  return at;
}

/** The tag of a From or To value: a header parameter, so after any ">" (RFC 3261 §20.10). */
export function tagOf(value: string | undefined): string {
  if (value === undefined) return "";
  const close = value.lastIndexOf(">");
  return parameterAt(value, "tag", Math.max(close, 0)) ?? "";
}
