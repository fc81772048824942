import { createHash } from "node:crypto";

/** Keys of ours on a server begin with one of these; the second stands for a hash. */
export const PLAIN = "r/";
export const HASHED = "h/";

/** memcached takes 250 bytes. */
const MAX_KEY = 250;

export interface WireKey {
  /** What the item is called on a server. */
  readonly key: string;
  /** The name does not say table and key: they stand in the entry. */
  readonly hashed: boolean;
}

/** Printable ASCII of moderate length stays readable; everything else, and a table with a slash, is hashed. */
export function wireKey(table: string, key: string): WireKey {
  if (PLAIN.length + table.length + 1 + key.length <= MAX_KEY && isPlain(table, true) && isPlain(key, false))
    return { key: `${PLAIN}${table}/${key}`, hashed: false };
  const hash = createHash("sha256");
  // UTF-16: every string has its own bytes, lone surrogates included.
  hash.update(`${table.length}:`).update(Buffer.from(table, "utf16le")).update(Buffer.from(key, "utf16le"));
  return { key: HASHED + hash.digest("base64url"), hashed: true };
}

/** Whether a server's key is one of ours. */
export function isEntryKey(key: string): boolean {
  return key.startsWith(PLAIN) || key.startsWith(HASHED);
}

function isPlain(text: string, noSlash: boolean): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e || (noSlash && code === 0x2f)) return false;
  }
  return true;
}
