import { parseBracket } from "./bracket.ts";

const MAX_SOURCE = 512;
const MAX_DEPTH = 32;
/** RE_DUP_MAX of POSIX. */
const MAX_REPEAT = 255;

/** Syntax tree of an extended regular expression. */
export type Expression =
  | { readonly kind: "set"; readonly has: (code: number) => boolean }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  /** `index`: place of its "(", counted from 1. */
  | { readonly kind: "group"; readonly of: Expression; readonly index: number }
  | { readonly kind: "repeat"; readonly of: Expression; readonly min: number; readonly max: number };

class Malformed extends Error {}

/** Parses IEEE 1003.1 §9.4 with the escapes \d \w \s that provisioning tools write. Undefined when malformed. */
export function parseExpression(source: string): Expression | undefined {
  if (source.length > MAX_SOURCE) return undefined;
  const reader = new Reader(source);
  try {
    const tree = reader.choice(0);
    return reader.atEnd() ? tree : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Reader {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  atEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  choice(depth: number): Expression {
    if (depth > MAX_DEPTH) throw new Malformed();
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    return options.length === 1 && options[0] ? options[0] : { kind: "choice", options };
  }

  #sequence(depth: number): Expression {
    const parts: Expression[] = [];
    while (!this.atEnd() && this.#peek() !== "|" && !(depth > 0 && this.#peek() === ")")) {
      parts.push(this.#repeated(this.#atom(depth)));
    }
    return { kind: "sequence", parts };
  }

  #atom(depth: number): Expression {
    const c = this.#next();
    switch (c) {
      case "(": {
        const index = ++this.#groups;
        const of = this.choice(depth + 1);
        if (!this.#take(")")) throw new Malformed();
        return { kind: "group", of, index };
      }
      case "[": {
        const bracket = parseBracket(this.#source, this.#at);
        if (bracket === undefined) throw new Malformed();
        this.#at = bracket.end;
        return { kind: "set", has: bracket.has };
      }
      case ".":
        return { kind: "set", has: () => true };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "*":
      case "+":
      case "?":
      case "{":
      case ")":
        throw new Malformed();
      case "\\":
        return { kind: "set", has: escaped(this.#next()) };
      default:
        return { kind: "set", has: literal(c) };
    }
  }

  #repeated(atom: Expression): Expression {
    let result = atom;
    for (;;) {
      if (this.#take("*")) result = repeat(result, 0, Number.POSITIVE_INFINITY);
      else if (this.#take("+")) result = repeat(result, 1, Number.POSITIVE_INFINITY);
      else if (this.#take("?")) result = repeat(result, 0, 1);
      else if (this.#peek() === "{") result = this.#interval(result);
      else return result;
    }
  }

  #interval(atom: Expression): Expression {
    const match = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(this.#source.slice(this.#at, this.#at + 12));
    if (match === null) throw new Malformed();
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max =
      match[2] === undefined ? min : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (max < min || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY))
      throw new Malformed();
    return repeat(atom, min, max);
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #next(): string {
    const c = this.#source[this.#at++];
    if (c === undefined) throw new Malformed();
    return c;
  }

  #take(c: string): boolean {
    if (this.#source[this.#at] !== c) return false;
    this.#at++;
    return true;
  }
}

function repeat(of: Expression, min: number, max: number): Expression {
  return { kind: "repeat", of, min, max };
}

function literal(c: string): (code: number) => boolean {
  const wanted = c.charCodeAt(0);
  return (code) => code === wanted;
}

function escaped(c: string): (code: number) => boolean {
  const test = { d: /\d/, w: /\w/, s: /\s/, D: /\D/, W: /\W/, S: /\S/ }[c];
  return test === undefined ? literal(c) : (code) => test.test(String.fromCharCode(code));
}
