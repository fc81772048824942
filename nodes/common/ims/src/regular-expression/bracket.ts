const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ["alpha", /[A-Za-z]/],
  ["digit", /[0-9]/],
  ["alnum", /[A-Za-z0-9]/],
  ["upper", /[A-Z]/],
  ["lower", /[a-z]/],
  ["space", /\s/],
  ["blank", /[ \t]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["print", /[ -~]/],
  ["graph", /[!-~]/],
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);

type Bracket = { readonly has: (code: number) => boolean; readonly end: number };

/** Bracket expression (IEEE 1003.1 §9.3.5); `start` is the index after "[". Undefined when malformed. */
export function parseBracket(source: string, start: number): Bracket | undefined {
  let at = start;
  const negated = source[at] === "^";
  if (negated) at++;
  const ranges: [number, number][] = [];
  const classes: RegExp[] = [];
  for (let first = true; ; first = false) {
    const c = source[at];
    if (c === undefined) return undefined;
    if (c === "]" && !first) break;
    if (c === "[" && source[at + 1] === ":") {
      const close = source.indexOf(":]", at + 2);
      const named = close < 0 ? undefined : CLASSES.get(source.slice(at + 2, close));
      if (named === undefined) return undefined;
      classes.push(named);
      at = close + 2;
      continue;
    }
    const low = c.charCodeAt(0);
    const upper = source[at + 2];
    if (source[at + 1] === "-" && upper !== undefined && upper !== "]") {
      const high = upper.charCodeAt(0);
      if (high < low) return undefined;
      ranges.push([low, high]);
      at += 3;
    } else {
      ranges.push([low, low]);
      at++;
    }
  }
  const inside = (code: number): boolean =>
    ranges.some(([low, high]) => code >= low && code <= high) ||
    classes.some((named) => named.test(String.fromCharCode(code)));
  return { has: negated ? (code) => !inside(code) : inside, end: at + 1 };
}
