/** Something is to be looked at when its time comes. */
export interface CalendarEntry {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type CalendarAddResult =
  | { readonly kind: "stored" }
  | { readonly kind: "unavailable"; readonly cause: Error };

export type CalendarEntriesResult =
  | { readonly kind: "found"; readonly entries: readonly CalendarEntry[] }
  | { readonly kind: "unavailable"; readonly cause: Error };

/**
 * Keys by the minute they are due. An entry is a reason to look at the key, not a truth about it: whoever reads it asks the
 * live record. Entries are never removed one by one; they are there until a day after they were due and gone within two.
 * Adding the same entry again changes nothing. Nothing rejects for an outage.
 */
export interface CalendarStore {
  /** "stored" when all entries are; otherwise some may be, and adding them again does no harm. */
  add(entries: readonly CalendarEntry[]): Promise<CalendarAddResult>;
  /** The entries of one minute (see minuteOf) in one shard (see shardOf), in no order. */
  entries(minute: number, shard: number): Promise<CalendarEntriesResult>;
}

/** Into how many shards the keys of a minute are spread; part of the stored format, so it never changes. */
export const CALENDAR_SHARDS = 64;

/** How long an entry stays after it was due. */
export const CALENDAR_RETENTION_SECONDS = 86_400;

/** The minute a time belongs to: whole minutes since the epoch. */
export function minuteOf(at: number): number {
  return Math.floor(at / 60_000);
}

/** The shard of a key, 0 to 63: the top six bits of FNV-1a (32 bits) over its UTF-16 code units. Part of the stored format. */
export function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 26;
}
