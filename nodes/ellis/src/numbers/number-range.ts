/** Numbers one after the other, all of the same length. */
export interface NumberRange {
  /** As it is written, "+16505550000". */
  readonly first: string;
  readonly count: number;
  readonly pstn: boolean;
}

export type RangeReading =
  | { readonly kind: "range"; readonly range: NumberRange }
  | { readonly kind: "wrong"; readonly problem: string };

const MAX_COUNT = 10_000_000;
const NUMBER = /^\+?[0-9]{3,15}$/;

/** Reads "FIRST-LAST". */
export function parseRange(text: string, pstn: boolean): RangeReading {
  const [first = "", last = ""] = text.split("-");
  if (
    !NUMBER.test(first) ||
    !NUMBER.test(last) ||
    first.length !== last.length ||
    plusOf(first) !== plusOf(last)
  )
    return { kind: "wrong", problem: `${text.slice(0, 40)}: write two numbers of the same length` };
  return makeRange(first, countingOf(last) - countingOf(first) + 1, pstn);
}

/** `count` numbers from `first` on. */
export function makeRange(first: string, count: number, pstn: boolean): RangeReading {
  if (!NUMBER.test(first))
    return { kind: "wrong", problem: `${first.slice(0, 40)}: a number has 3 to 15 digits` };
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT)
    return { kind: "wrong", problem: `${first}: 1 to ${MAX_COUNT} numbers, not ${count}` };
  if (String(countingOf(first) + count - 1).length > digitsOf(first).length)
    return { kind: "wrong", problem: `${first}: ${count} numbers need more digits` };
  return { kind: "range", range: { first, count, pstn } };
}

/** The number at a place of a range, from 0. */
export function numberAt({ first }: NumberRange, index: number): string {
  const digits = digitsOf(first);
  return plusOf(first) + String(countingOf(first) + index).padStart(digits.length, "0");
}

/** Whether two ranges share a number. */
export function overlaps(one: NumberRange, other: NumberRange): boolean {
  if (plusOf(one.first) !== plusOf(other.first) || one.first.length !== other.first.length) return false;
  const [from, to] = [countingOf(one.first), countingOf(other.first)];
  return from < to + other.count && to < from + one.count;
}

/** For display; numbers of North America in groups, others as they are. */
export function formattedNumber(number: string): string {
  const [, plus, area, exchange, line] = /^(\+1)?([2-9][0-9]{2})([0-9]{3})([0-9]{4})$/.exec(number) ?? [];
  if (area === undefined) return number;
  return plus === undefined ? `(${area}) ${exchange}-${line}` : `+1 (${area}) ${exchange}-${line}`;
}

function plusOf(number: string): string {
  return number.startsWith("+") ? "+" : "";
}

function digitsOf(number: string): string {
  return number.startsWith("+") ? number.slice(1) : number;
}

function countingOf(number: string): number {
  return Number(digitsOf(number));
}
