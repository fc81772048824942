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
import { endOfValue, splitList, unfold } from "./values.ts";

/** Fields of the header table: number of the name, start of the name, start of the value, end of the line. */
const WIDTH = 4;

/**
 * The header lines of a message (RFC 3261 §7.3) as a table of where they stand in its latin1 text; values are cut out only when asked for,
 * and an edit changes the table, never the text. A line not from the received text has a negative "start of the name":
 * the index of its text in `added`. Header fields not touched leave byte for byte as they came.
 */
export abstract class HeaderLines {
  readonly #text: string;
  readonly #table: number[];
  readonly #added: string[];
  /** Some lines of the text go on in the next one. */
  readonly #folded: boolean;

  /** `table` and `added` belong to the lines from here on. */
  constructor(text: string, table: number[], added: string[], folded: boolean) {
    this.#text = text;
    this.#table = table;
    this.#added = added;
    this.#folded = folded;
  }

  /** Lines of that name, or (undefined) of several names, are others now: what was read of them counts no more. */
  protected abstract changed(id: HeaderId | undefined): void;

  /** First line's value of that name, unfolded and trimmed; undefined when absent. */
  header(name: HeaderName): string | undefined {
    return this.firstOf(HeaderIds[name]);
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
  hasSameLines(name: HeaderName, other: HeaderLines): boolean {
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
    return this.valuesOf(HeaderIds[name]);
  }

  /** First value of a comma list (top Route, top Via) over all its lines; undefined when there is none. */
  top(name: HeaderName): string | undefined {
    return this.topOf(HeaderIds[name]);
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
    this.changed(id);
    return this;
  }

  append(name: HeaderName, value: string): this {
    const id = HeaderIds[name];
    this.#table.push(id, this.#add(name, value), name.length + 2, 0);
    this.changed(id);
    return this;
  }

  /** Adds a line with a name this stack does not know. */
  appendUnknown(name: string, value: string): this {
    const id = headerIdOf(name);
    this.#table.push(id, this.#add(name, value), name.length + 2, 0);
    this.changed(id);
    return this;
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
    this.changed(id);
    return this;
  }

  /** Removes every line of that name, in whatever spelling it came. */
  remove(name: HeaderName): this {
    const id = HeaderIds[name];
    for (let at = 0; at < this.#table.length; )
      if (this.#table[at] === id) this.#table.splice(at, WIDTH);
      else at += WIDTH;
    this.changed(id);
    return this;
  }

  /** Removes every line of a name by any spelling, also one that this stack does not know. */
  removeNamed(name: string): this {
    const id = headerIdOf(name);
    const wanted = name.toLowerCase();
    for (let at = 0; at < this.#table.length; )
      if (this.#table[at] === id && (id !== 0 || this.#name(at).toLowerCase() === wanted))
        this.#table.splice(at, WIDTH);
      else at += WIDTH;
    this.changed(id);
    return this;
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
      this.changed(undefined);
    }
    return this;
  }

  /** Replaces or (undefined) removes the first value of a comma list. */
  replaceTop(name: HeaderName, value: string | undefined): this {
    const id = HeaderIds[name];
    const at = this.#find(id);
    if (at < 0) return value === undefined ? this : this.prepend(name, value);
    this.#exchangeTop(at, name, value);
    this.changed(id);
    return this;
  }

  /** Takes over every line of that name from another message, below what is here. */
  copy(name: HeaderName, from: HeaderLines): this {
    const id = HeaderIds[name];
    for (let at = 0; at < from.#table.length; at += WIDTH)
      if (from.#table[at] === id) this.append(name, from.#value(at));
    return this;
  }

  /** What was received, whole; "" of a message made here. */
  protected get text(): string {
    return this.#text;
  }

  protected get folded(): boolean {
    return this.#folded;
  }

  protected copyTable(): number[] {
    return this.#table.slice();
  }

  protected copyAdded(): string[] {
    return this.#added.slice();
  }

  /** Octets of all lines with their ends. */
  protected get linesLength(): number {
    const table = this.#table;
    let length = 0;
    for (let at = 0; at < table.length; at += WIDTH) {
      const start = table[at + 1] ?? 0;
      length += 2 + (start < 0 ? (this.#added[-start - 1]?.length ?? 0) : (table[at + 3] ?? 0) - start);
    }
    return length;
  }

  /** `out` with all lines behind it; lines that stand together in the received text are one piece of it. */
  protected withLines(out: string): string {
    const table = this.#table;
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
    return runStart >= 0 ? out + this.#text.slice(runStart, runEnd) : out;
  }

  protected valuesOf(id: HeaderId): string[] {
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

  /** Takes the first value of the first line off and returns it; undefined when there is no line. `changed` is not told. */
  protected takeTop(name: HeaderName): string | undefined {
    const at = this.#find(HeaderIds[name]);
    return at < 0 ? undefined : this.#exchangeTop(at, name, undefined);
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

  protected topOf(id: HeaderId): string | undefined {
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

  protected firstOf(id: HeaderId): string | undefined {
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
