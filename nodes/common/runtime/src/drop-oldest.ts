/** Share of a map that goes at once. */
const SHARE = 64;

/** The oldest keys of a map of at most `limit` entries: a 64th of them, one at least. */
export function oldestKeys<K>(map: ReadonlyMap<K, unknown>, limit: number): K[] {
  const count = Math.max(1, Math.floor(limit / SHARE));
  const keys: K[] = [];
  for (const key of map.keys()) {
    keys.push(key);
    if (keys.length === count) break;
  }
  return keys;
}

/**
 * Makes room in a map of at most `limit` entries. Several go at once, because to find the oldest is to pass by whatever was deleted before it:
 * one for each new entry costs 15 µs at 50,000. (An iterator that is kept would find it at once, and keep every table that the engine has replaced meanwhile.)
 */
export function dropOldest<K>(map: Map<K, unknown>, limit: number): void {
  for (const key of oldestKeys(map, limit)) map.delete(key);
}
