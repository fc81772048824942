import { isSpace, lowerCase } from "./chars.ts";
import { unquote } from "./values.ts";

/** More than any real URI or header field has: looking one up is linear, and comparing two lists quadratic. */
const MAX_PARAMETERS = 64;
/** Where the parameters stand that are being read: begin and end of the name, begin of the value or -1, end. */
const scratch = new Int32Array(4 * MAX_PARAMETERS);

/** Parameters that several hold: to be read only. */
export type ReadonlyParameters = Pick<
  Parameters,
  "has" | "get" | "raw" | "names" | "hasDuplicates" | "toString"
>;

/** generic-params of RFC 3261 §25.1: names in lower case in the order received, `undefined` for a flag, quoted values kept quoted. */
export class Parameters {
  readonly #names: string[];
  readonly #values: (string | undefined)[];

  /** The lists belong to the parameters from here on, and have one length. */
  constructor(names: string[] = [], values: (string | undefined)[] = []) {
    this.#names = names;
    this.#values = values;
  }

  /** Reads text from the first ";" at or after `start`; undefined when malformed (empty name, junk after a quoted value, more than 64). */
  static parse(text: string, start = 0): Parameters | undefined {
    let rows = 0;
    let at = start;
    while (at < text.length) {
      if (isSpace(text.charCodeAt(at))) {
        at++;
        continue;
      }
      if (text.charCodeAt(at) !== 0x3b) return undefined;
      let end = at + 1;
      let equals = -1;
      for (; end < text.length; end++) {
        const code = text.charCodeAt(end);
        if (code === 0x3b) break;
        if (code === 0x3d) {
          if (equals < 0) equals = end;
        } else if (code === 0x22) {
          const close = endOfQuoted(text, end);
          if (equals < 0) equals = indexBefore(text, "=", end, close);
          end = close;
        }
      }
      if (end > text.length) end = text.length;
      let nameStart = at + 1;
      let nameEnd = equals < 0 ? end : equals;
      while (nameStart < nameEnd && isSpace(text.charCodeAt(nameStart))) nameStart++;
      while (nameEnd > nameStart && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--;
      if (nameStart === nameEnd) {
        if (equals >= 0) return undefined;
      } else {
        if (rows === scratch.length) return undefined;
        scratch[rows++] = nameStart;
        scratch[rows++] = nameEnd;
        scratch[rows++] = equals < 0 ? -1 : equals + 1;
        scratch[rows++] = end;
      }
      at = end;
    }
    return Parameters.#at(text, rows);
  }

  /** The parameters that `scratch` tells of: lists that grow would get room for 17. */
  static #at(text: string, rows: number): Parameters {
    const names: string[] = new Array(rows / 4);
    const values: (string | undefined)[] = new Array(rows / 4);
    for (let index = 0, row = 0; row < rows; index++, row += 4) {
      names[index] = lowerCase(text, scratch[row] ?? 0, scratch[row + 1] ?? 0);
      const start = scratch[row + 2] ?? -1;
      values[index] = start < 0 ? undefined : text.slice(start, scratch[row + 3]).trim();
    }
    return new Parameters(names, values);
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** First value of that name without quotes; "" for a flag, undefined when absent. */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    if (index < 0) return undefined;
    return unquote(this.#values[index] ?? "");
  }

  /** First value as sent, quotes included. */
  raw(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : (this.#values[index] ?? "");
  }

  get names(): readonly string[] {
    return this.#names;
  }

  set(name: string, value: string | undefined): this {
    const index = this.#names.indexOf(name);
    if (index < 0) {
      this.#names.push(name);
      this.#values.push(value);
    } else this.#values[index] = value;
    return this;
  }

  delete(name: string): this {
    for (let index = this.#names.indexOf(name); index >= 0; index = this.#names.indexOf(name)) {
      this.#names.splice(index, 1);
      this.#values.splice(index, 1);
    }
    return this;
  }

  /** More than one parameter of a name is ambiguous (RFC 3261 §7.3.1: names are unique). */
  hasDuplicates(): boolean {
    const names = this.#names;
    for (let index = 1; index < names.length; index++)
      if (names.indexOf(names[index] ?? "") !== index) return true;
    return false;
  }

  toString(): string {
    let text = "";
    for (let index = 0; index < this.#names.length; index++) {
      const value = this.#values[index];
      text += value === undefined ? `;${this.#names[index]}` : `;${this.#names[index]}=${value}`;
    }
    return text;
  }
}

/**
 * Value of `;name=` in text[from, to) without building Parameters: the hot path's look-up of tag, branch, lr.
 * Quotes are skipped, the name must follow a ";". A flag gives "".
 */
export function parameterAt(
  text: string,
  name: string,
  from = 0,
  to: number = text.length,
): string | undefined {
  let at = from;
  while (at < to) {
    const start = text.indexOf(";", at);
    if (start < 0 || start >= to) return undefined;
    const end = Math.min(endOfParameter(text, start + 1), to);
    let nameStart = start + 1;
    while (nameStart < end && isSpace(text.charCodeAt(nameStart))) nameStart++;
    const equals = indexBefore(text, "=", nameStart, end);
    let nameEnd = equals < 0 ? end : equals;
    while (nameEnd > nameStart && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--;
    if (nameEnd - nameStart === name.length && sameIgnoringCase(text, nameStart, name))
      return equals < 0 ? "" : unquote(text.slice(equals + 1, end).trim());
    at = end;
  }
  return undefined;
}

function sameIgnoringCase(text: string, start: number, lowerCase: string): boolean {
  for (let at = 0; at < lowerCase.length; at++) {
    let code = text.charCodeAt(start + at);
    if (code >= 65 && code <= 90) code |= 32;
    if (code !== lowerCase.charCodeAt(at)) return false;
  }
  return true;
}

function endOfParameter(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3b) return at;
    if (code === 0x22) at = endOfQuoted(text, at);
  }
  return text.length;
}

/** Where the quote that closes this one stands; behind the text when none does. */
function endOfQuoted(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

function indexBefore(text: string, what: string, from: number, to: number): number {
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === what.charCodeAt(0)) return at;
  return -1;
}
