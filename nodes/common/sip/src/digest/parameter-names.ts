/** Names of auth-params (RFC 7616 §3.3 to §3.5, RFC 3310, TS 24.229 §7.2A.1), by their length. */
const BY_LENGTH: readonly (readonly string[])[] = byLength([
  ...["username", "username*", "userhash", "realm", "nonce", "nextnonce", "uri", "domain", "opaque", "stale"],
  ...["response", "rspauth", "cnonce", "nc", "qop", "algorithm", "charset", "auts", "ik", "ck"],
  "integrity-protected",
]);

/** The name between two places of a text when it is one of them in lower case: the same string every time, without a copy. */
export function knownParameter(text: string, start: number, end: number): string | undefined {
  const names = BY_LENGTH[end - start];
  if (names !== undefined) for (const name of names) if (text.startsWith(name, start)) return name;
  return undefined;
}

function byLength(names: readonly string[]): string[][] {
  const table: string[][] = Array.from(
    { length: 1 + Math.max(...names.map(({ length }) => length)) },
    () => [],
  );
  for (const name of names) table[name.length]?.push(name);
  return table;
}
