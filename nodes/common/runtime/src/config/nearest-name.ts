/** More than this many slips are another word. */
const MAX_SLIPS = 3;

/** The name that was perhaps meant: the fewest letters away, fewer than half of it. Undefined: none is near. */
export function nearestName(text: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(MAX_SLIPS, Math.floor(text.length / 2)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - text.length) >= least) continue;
    const slips = slipsBetween(text, name);
    if (slips < least) [best, least] = [name, slips];
  }
  return best;
}

/** Letters to put in, take out, change or swap with the next one (optimal string alignment). */
function slipsBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      let slips = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        slips = Math.min(slips, at(before, j - 2) + 1);
      next.push(slips);
    }
    [before, row] = [row, next];
  }
  return at(row, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
