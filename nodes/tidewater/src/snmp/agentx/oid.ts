/** An object identifier. */
export type Oid = readonly number[];

export function oidOf(text: string): Oid {
  return text.split(".").map(Number);
}

/** Lexicographical order: RFC 3416 §4.2.2. Negative: `a` comes first. */
export function compareOids(a: Oid, b: Oid): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Octets as an index of a table: with their number in front (RFC 2578 §7.7). */
export function indexOfOctets(octets: Uint8Array): Oid {
  return [octets.length, ...octets];
}
