import { crc32 } from "node:zlib";

/**
 * What is stored on each replica. Layout, big endian:
 * 0 CRC-32 of wire key and all that follows · 4 magic · 5 format · 6 flags · 7 number of ancestors · 8 born (6 bytes, ms)
 * · 14 count · 18 stamp (6) · 24 grace (4, s) · 28 ancestors (6 each, nearest first) · if keyed: table and key, each behind its
 * length (4) · value.
 */
export interface Entry {
  /** When the line of writes began that this one continues; with `count` it says which of two copies is newer. */
  readonly born: number;
  /** Writes of that line before this one. */
  readonly count: number;
  /** Names this write; no other has it. */
  readonly stamp: number;
  /** Stamps of the writes before, nearest first. */
  readonly ancestors: readonly number[];
  /** Seconds that the item outlives the entry, so that an older copy with a longer lifetime cannot come back. */
  readonly grace: number;
  /** The entry says that there is none. */
  readonly tombstone: boolean;
  /** Of a hashed wire key. */
  readonly name: { readonly table: string; readonly key: string } | undefined;
  readonly value: Uint8Array;
}

export type DecodedEntry =
  | { readonly kind: "entry"; readonly entry: Entry }
  /** Written by a later version of this program: not to be read, not to be overwritten. */
  | { readonly kind: "newer" }
  | { readonly kind: "rubbish" };

const MAGIC = 0x54;
const FORMAT = 1;
const TOMBSTONE = 1;
const KEYED = 2;
const HEAD = 28;
const STAMP = 6;

/** Enough for the writes that may overtake one between two of its steps. */
export const MAX_ANCESTORS = 4;

export function encodeEntry(wireKey: string, entry: Entry): Buffer {
  const { ancestors, name, value } = entry;
  const table = name === undefined ? undefined : Buffer.from(name.table, "utf16le");
  const key = name === undefined ? undefined : Buffer.from(name.key, "utf16le");
  const nameBytes = table === undefined || key === undefined ? 0 : 8 + table.length + key.length;
  const bytes = Buffer.allocUnsafe(HEAD + ancestors.length * STAMP + nameBytes + value.length);
  bytes[4] = MAGIC;
  bytes[5] = FORMAT;
  bytes[6] = (entry.tombstone ? TOMBSTONE : 0) | (name === undefined ? 0 : KEYED);
  bytes[7] = ancestors.length;
  bytes.writeUIntBE(entry.born, 8, 6);
  bytes.writeUInt32BE(entry.count, 14);
  bytes.writeUIntBE(entry.stamp, 18, STAMP);
  bytes.writeUInt32BE(entry.grace, 24);
  let at = HEAD;
  for (const stamp of ancestors) at = bytes.writeUIntBE(stamp, at, STAMP);
  for (const part of [table, key]) {
    if (part === undefined) continue;
    at = bytes.writeUInt32BE(part.length, at);
    at += part.copy(bytes, at);
  }
  bytes.set(value, at);
  bytes.writeUInt32BE(checksum(wireKey, bytes), 0);
  return bytes;
}

/** The value is a view of `bytes`. */
export function decodeEntry(wireKey: string, bytes: Buffer): DecodedEntry {
  if (bytes.length < HEAD || bytes[4] !== MAGIC) return RUBBISH;
  if (bytes.readUInt32BE(0) !== checksum(wireKey, bytes)) return RUBBISH;
  if (bytes[5] !== FORMAT) return (bytes[5] as number) > FORMAT ? { kind: "newer" } : RUBBISH;
  const flags = bytes[6] as number;
  const ancestors: number[] = [];
  let at = HEAD;
  for (let i = bytes[7] as number; i > 0 && at + STAMP <= bytes.length; i--, at += STAMP)
    ancestors.push(bytes.readUIntBE(at, STAMP));
  let name: Entry["name"];
  if ((flags & KEYED) !== 0) {
    const parts: string[] = [];
    for (let i = 0; i < 2; i++) {
      const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : Number.POSITIVE_INFINITY;
      if (at + 4 + length > bytes.length) return RUBBISH;
      parts.push(bytes.toString("utf16le", at + 4, at + 4 + length));
      at += 4 + length;
    }
    name = { table: parts[0] as string, key: parts[1] as string };
  }
  return {
    kind: "entry",
    entry: {
      born: bytes.readUIntBE(8, 6),
      count: bytes.readUInt32BE(14),
      stamp: bytes.readUIntBE(18, STAMP),
      grace: bytes.readUInt32BE(24),
      tombstone: (flags & TOMBSTONE) !== 0,
      ancestors,
      name,
      value: bytes.subarray(at),
    },
  };
}

const RUBBISH = { kind: "rubbish" } as const;

/** Over the key as well: an item under a wrong name is as bad as a spoiled one. */
function checksum(wireKey: string, bytes: Buffer): number {
  return crc32(bytes.subarray(4), crc32(wireKey));
}
