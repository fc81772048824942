import { type Clock, PackedTable } from "@ims/runtime";
import { checkPut } from "../check-put.ts";
import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
} from "../kv-store.ts";

const NOT_FOUND: Promise<GetResult> = Promise.resolve({ kind: "notFound" });
const STORED: Promise<PutResult> = Promise.resolve({ kind: "stored" });
const CONTENTION: Promise<PutResult> = Promise.resolve({ kind: "contention" });

export interface MemoryStoreOptions {
  readonly clock: Clock;
}

/** The store of one process: nothing survives it. Its values stand outside of the heap. */
export class MemoryStore implements KvStore {
  readonly #clock: Clock;
  readonly #tables = new Map<string, PackedTable>();
  #lastVersion = 0;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
  }

  get(table: string, key: string): Promise<GetResult> {
    const entries = this.#tables.get(table);
    const entry = entries?.find(key, this.#clock.monotonic());
    if (entries === undefined || entry === undefined) return NOT_FOUND;
    return Promise.resolve({
      kind: "found",
      value: entries.octetsOf(entry),
      version: asVersion(entries.numberOf(entry)),
    });
  }

  put(
    table: string,
    key: string,
    value: Uint8Array,
    { ifVersion, ttlSeconds }: PutOptions,
  ): Promise<PutResult> {
    const fault = checkPut(table, value, ttlSeconds);
    if (fault !== undefined) return Promise.reject(fault);
    const now = this.#clock.monotonic();
    const entries = this.#table(table);
    const entry = entries.find(key, now);
    if (ifVersion !== (entry === undefined ? "absent" : entries.numberOf(entry))) return CONTENTION;
    entries.put(key, value, { number: ++this.#lastVersion, expiresAt: now + ttlSeconds * 1000 }, now);
    return STORED;
  }

  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    const entries = this.#tables.get(table);
    const entry = entries?.find(key, this.#clock.monotonic());
    if (entries === undefined || entry === undefined)
      return options?.ifVersion === undefined ? STORED : CONTENTION;
    if (options?.ifVersion !== undefined && options.ifVersion !== entries.numberOf(entry)) return CONTENTION;
    entries.remove(entry);
    return STORED;
  }

  /** Entries in memory, expired ones that no sweep has met included. */
  get size(): number {
    let size = 0;
    for (const entries of this.#tables.values()) size += entries.size;
    return size;
  }

  #table(name: string): PackedTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new PackedTable();
    this.#tables.set(name, table);
    return table;
  }
}

export function memoryStore(options: MemoryStoreOptions): MemoryStore {
  return new MemoryStore(options);
}
