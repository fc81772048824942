/** A share as a fraction in lowest terms, 0 < numerator <= denominator: floating point would round 1/3 of 3 down to 0. */
export interface Share {
  readonly numerator: number;
  readonly denominator: number;
}

export type ShareReading =
  | { readonly kind: "share"; readonly share: Share }
  | { readonly kind: "bad"; readonly problem: string };

/** Finest share that is understood. */
const DENOMINATOR_MAX = 10_000;
const FORMS = "write a fraction (1/4), a decimal (0.25) or a percentage (25%)";

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** Reads 1/4, 0.25 or 25%. */
export function readShare(text: string): ShareReading {
  const bad = (problem: string): ShareReading => ({ kind: "bad", problem: `share "${text}": ${problem}` });
  const fraction = /^\s*(\d{1,5})\s*\/\s*(\d{1,5})\s*$/.exec(text);
  const decimal = /^\s*(\d{0,3})(?:\.(\d{1,4}))?\s*(%?)\s*$/.exec(text);
  let numerator: number;
  let denominator: number;
  if (fraction !== null) [numerator, denominator] = [Number(fraction[1]), Number(fraction[2])];
  else if (decimal !== null && /\d/.test(text)) {
    const digits = decimal[2] ?? "";
    numerator = Number(`${decimal[1]}${digits}`);
    denominator = 10 ** digits.length * (decimal[3] === "%" ? 100 : 1);
  } else return bad(FORMS);
  if (denominator === 0) return bad("there is no share with denominator 0");
  if (numerator === 0) return bad("a share of nothing cannot hold: one member is on some host");
  if (numerator > denominator) return bad("more than the whole pool");
  const common = divisor(numerator, denominator);
  const share = { numerator: numerator / common, denominator: denominator / common };
  if (share.denominator > DENOMINATOR_MAX) return bad(`finer than 1/${DENOMINATOR_MAX}`);
  return { kind: "share", share };
}

export function formatShare({ numerator, denominator }: Share): string {
  return denominator === 1 ? `${numerator}` : `${numerator}/${denominator}`;
}

/** Whether `members` of `size` are more than the share. */
export function exceeds(members: number, size: number, { numerator, denominator }: Share): boolean {
  return members * denominator > numerator * size;
}

/** Smallest pool in which one member is no more than the share. */
export function smallestPool({ numerator, denominator }: Share): number {
  return Math.ceil(denominator / numerator);
}
