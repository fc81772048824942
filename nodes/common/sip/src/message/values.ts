import { allOf, TOKEN } from "./chars.ts";

/** RFC 3261 §7.3.1: a folded line counts as one space. */
export function unfold(value: string): string {
  return value.includes("\n") ? value.replace(/\r\n[ \t]+/g, " ") : value;
}

/**
 * End of the first comma-separated value of text[start, end): commas inside quotes or <> do not count.
 * Linear; an unclosed quote or bracket runs to the end.
 */
export function endOfValue(text: string, start: number, end: number): number {
  let quoted = false;
  let bracket = false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) {
      if (!bracket) quoted = true;
    } else if (code === 0x3c) bracket = true;
    else if (code === 0x3e) bracket = false;
    else if (code === 0x2c && !bracket) return at;
  }
  return end;
}

/** Splits one line of a comma list into trimmed values; empty ones are dropped. */
export function splitList(value: string): string[] {
  if (!value.includes(",")) {
    const only = value.trim();
    return only === "" ? [] : [only];
  }
  const values: string[] = [];
  for (let start = 0; start <= value.length; ) {
    const end = endOfValue(value, start, value.length);
    const one = value.slice(start, end).trim();
    if (one !== "") values.push(one);
    start = end + 1;
  }
  return values;
}

/** Decimal of at most `digits` digits (leading zeros free), or undefined: never parseInt on what a stranger sent. */
export function decimal(text: string, digits = 10): number | undefined {
  let value = 0;
  let significant = 0;
  if (text.length === 0) return undefined;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    if (significant > 0 || digit > 0) significant++;
    if (significant > digits) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** RFC 3261 §25.1 token. */
export function isToken(text: string): boolean {
  return text.length > 0 && allOf(TOKEN, text, 0, text.length);
}

/** Text of a quoted-string without quotes and escapes; anything else unchanged. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22 || text.charCodeAt(text.length - 1) !== 0x22)
    return text;
  const inner = text.slice(1, -1);
  return inner.includes("\\") ? inner.replace(/\\([\s\S])/g, "$1") : inner;
}

/** A quoted-string with what needs it escaped. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
