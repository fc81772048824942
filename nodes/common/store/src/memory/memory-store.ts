import type { Clock } from "@ims/runtime";
import { checkPut } from "../check-put.ts";
import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
} from "../kv-store.ts";

/** Entries looked at for expiry by each put: more than one, so that garbage shrinks faster than it can grow. */
const SWEEP_STEP = 4;

interface Entry {
  /** The value, one character a byte: a latin1 string costs the heap less than an ArrayBuffer of its own. */
  bytes: string;
  version: number;
  expiresAt: number;
}

const NOT_FOUND: Promise<GetResult> = Promise.resolve({ kind: "notFound" });
const STORED: Promise<PutResult> = Promise.resolve({ kind: "stored" });
const CONTENTION: Promise<PutResult> = Promise.resolve({ kind: "contention" });

export interface MemoryStoreOptions {
  readonly clock: Clock;
}

/** What one table holds; `sweep` goes round and round over the entries. */
interface Table {
  readonly entries: Map<string, Entry>;
  sweep: MapIterator<[string, Entry]>;
}

/** The store of one process: nothing survives it. */
export class MemoryStore implements KvStore {
  readonly #clock: Clock;
  readonly #tables = new Map<string, Table>();
  #lastVersion = 0;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
  }

  get(table: string, key: string): Promise<GetResult> {
    const entry = this.#live(this.#tables.get(table), key, this.#clock.monotonic());
    if (entry === undefined) return NOT_FOUND;
    return Promise.resolve({
      kind: "found",
      value: Buffer.from(entry.bytes, "latin1"),
      version: asVersion(entry.version),
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
    const into = this.#table(table);
    const entry = this.#live(into, key, now);
    const expiresAt = now + ttlSeconds * 1000;
    if (entry === undefined) {
      if (ifVersion !== "absent") return CONTENTION;
      into.entries.set(flat(key), { bytes: latin1(value), version: ++this.#lastVersion, expiresAt });
    } else {
      if (ifVersion !== entry.version) return CONTENTION;
      entry.bytes = latin1(value);
      entry.version = ++this.#lastVersion;
      entry.expiresAt = expiresAt;
    }
    sweep(into, now);
    return STORED;
  }

  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    const from = this.#tables.get(table);
    const entry = this.#live(from, key, this.#clock.monotonic());
    if (options?.ifVersion !== undefined && entry?.version !== options.ifVersion) return CONTENTION;
    from?.entries.delete(key);
    return STORED;
  }

  /** Entries in memory, expired ones that no sweep has met included. */
  get size(): number {
    let size = 0;
    for (const { entries } of this.#tables.values()) size += entries.size;
    return size;
  }

  #table(name: string): Table {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const entries = new Map<string, Entry>();
    const table = { entries, sweep: entries.entries() };
    this.#tables.set(name, table);
    return table;
  }

  #live(table: Table | undefined, key: string, now: number): Entry | undefined {
    const entry = table?.entries.get(key);
    if (entry === undefined || entry.expiresAt > now) return entry;
    table?.entries.delete(key);
    return undefined;
  }
}

export function memoryStore(options: MemoryStoreOptions): MemoryStore {
  return new MemoryStore(options);
}

function sweep(table: Table, now: number): void {
  for (let i = 0; i < SWEEP_STEP; i++) {
    const step = table.sweep.next();
    if (step.done) {
      table.sweep = table.entries.entries();
      return;
    }
    if (step.value[1].expiresAt <= now) table.entries.delete(step.value[0]);
  }
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
}

/** A copy: a key cut out of a message would keep the whole message alive. */
function flat(key: string): string {
  const copy = Buffer.from(key).toString();
  return copy === key ? copy : key; // a lone surrogate does not survive UTF-8
}
