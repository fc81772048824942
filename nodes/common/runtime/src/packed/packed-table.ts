import { randomInt } from "node:crypto";
import { OctetSlabs } from "./octet-slabs.ts";
import { PackedShard } from "./packed-shard.ts";

/** A power of two: each shard grows by itself, so that no put pays for all. */
const SHARDS = 64;
const SHARD_BITS = 6;
const NONE = -1;

/** Beside the value of an entry. */
interface PackedEntry {
  /** Whatever its owner makes of it. */
  readonly number: number;
  /** From then on it is not found; by the clock of its owner. */
  readonly expiresAt: number;
}

/**
 * Values by key that live for seconds to days and stand outside of the heap: entries by the hundred thousand cost the collector of garbage
 * nothing, while a Map of objects is marked whole, over and over. What has lapsed leaves with the puts of others.
 */
export class PackedTable {
  readonly #slabs = new OctetSlabs();
  readonly #shards: (PackedShard | undefined)[] = new Array<undefined>(SHARDS).fill(undefined);
  #purged = 0;
  /** Unknown outside, so that nobody can foretell which keys meet. */
  readonly #seed = randomInt(2 ** 32) | 0;

  /** Entries, lapsed ones that no sweep has met included. */
  get size(): number {
    let size = 0;
    for (const shard of this.#shards) size += shard?.size ?? 0;
    return size;
  }

  /** Octets outside of the heap that its values take, free room among them. */
  get octets(): number {
    return this.#slabs.size;
  }

  /** A handle of the entry, good until the next call that is told a key or removes; undefined when there is none or it has lapsed. */
  find(key: string, now: number): number | undefined {
    const text = keyText(key);
    const hash = hashOf(text, this.#seed);
    const shard = this.#shards[hash & (SHARDS - 1)];
    const slot = shard?.find(hash, text) ?? NONE;
    if (shard === undefined || slot === NONE) return undefined;
    if (shard.expiresAt(slot) <= now) {
      shard.remove(slot);
      return undefined;
    }
    return slot * SHARDS + (hash & (SHARDS - 1));
  }

  numberOf(handle: number): number {
    return this.#shardOf(handle).number(handle >>> SHARD_BITS);
  }

  /** The value as text, one character an octet. */
  textOf(handle: number): string {
    return this.#shardOf(handle).text(handle >>> SHARD_BITS);
  }

  /** A copy of the value. */
  octetsOf(handle: number): Buffer {
    return this.#shardOf(handle).octets(handle >>> SHARD_BITS);
  }

  /** Keeps a value, text of one octet a character or octets, in the place of what the key had. */
  put(key: string, value: string | Uint8Array, { number, expiresAt }: PackedEntry, now: number): void {
    const text = keyText(key);
    const hash = hashOf(text, this.#seed);
    const at = hash & (SHARDS - 1);
    let shard = this.#shards[at];
    if (shard === undefined) {
      shard = new PackedShard(this.#slabs, SHARD_BITS);
      this.#shards[at] = shard;
    }
    shard.put(hash, text, value, number, expiresAt);
    shard.sweep(now);
  }

  /** Is there one? */
  has(key: string, now: number): boolean {
    return this.find(key, now) !== undefined;
  }

  /** Drops what has lapsed in a part of the table, another 64th each time. For who may put nothing for a while. */
  purge(now: number): void {
    this.#shards[this.#purged]?.purge(now);
    this.#purged = (this.#purged + 1) % SHARDS;
  }

  /** True when there was one, lapsed or not. */
  delete(key: string): boolean {
    const found = this.find(key, Number.NEGATIVE_INFINITY);
    if (found !== undefined) this.remove(found);
    return found !== undefined;
  }

  remove(handle: number): void {
    this.#shardOf(handle).remove(handle >>> SHARD_BITS);
  }

  #shardOf(handle: number): PackedShard {
    const shard = this.#shards[handle & (SHARDS - 1)];
    if (shard === undefined) throw new RangeError(`no entry ${handle}`);
    return shard;
  }
}

/** Of one octet a character: what is not ASCII as UTF-16, marked by what no ASCII begins with. */
function keyText(key: string): string {
  for (let at = 0; at < key.length; at++)
    if (key.charCodeAt(at) > 0x7f) return `\xff${Buffer.from(key, "utf16le").toString("latin1")}`;
  return key;
}

/** Murmur's way of mixing, an octet at a time. */
function hashOf(text: string, seed: number): number {
  let hash = seed ^ text.length;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x5bd1e995);
  return (hash ^ (hash >>> 13)) >>> 0;
}
