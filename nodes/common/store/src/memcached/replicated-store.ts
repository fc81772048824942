import { randomInt } from "node:crypto";
import type { Clock } from "@ims/runtime";
import { checkPut } from "../check-put.ts";
import { StoreError } from "../errors.ts";
import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
} from "../kv-store.ts";
import { type ChainRead, type Copy, readChain } from "./chain-read.ts";
import { writeChain } from "./chain-write.ts";
import type { MemcachedCounters } from "./counters.ts";
import { type Entry, encodeEntry, MAX_ANCESTORS } from "./entry.ts";
import type { Replica } from "./replica.ts";
import { type Base, VersionCache } from "./version-cache.ts";
import { type WireKey, wireKey } from "./wire-key.ts";

/** Where entries are. */
export interface Replicas {
  /** The replicas of a key, in the order in which they are written. */
  chain(key: string): readonly Replica[];
  /** An operation begins; the result is called when it has ended. */
  enter(): () => void;
  /** A replica did not get a write. */
  missed(replica: Replica, key: string): void;
}

const NOT_FOUND: GetResult = { kind: "notFound" };
const STORED: PutResult = { kind: "stored" };
const CONTENTION: PutResult = { kind: "contention" };

/** Reads whose guards are kept for the write that follows. */
const VERSIONS = 4_096;
/** Times a write starts again because an entry changed under it without becoming another one. */
const MAX_STARTS = 12;
/** A tombstone lives as long as what it replaces could on a replica that is away; at least this long. */
const LEAST_TOMBSTONE_SECONDS = 30;
/** And this long where nobody knows what the replica that is away holds. */
const BLIND_TOMBSTONE_SECONDS = 3_600;

type Body = Pick<Entry, "tombstone" | "grace" | "name" | "value">;

/** The store port over replicas that know guarded writes only. What it promises stands at MemcachedStore. */
export class ReplicatedStore implements KvStore {
  readonly #clock: Clock;
  readonly #cluster: Replicas;
  readonly #counters: MemcachedCounters;
  readonly #versions = new VersionCache(VERSIONS);
  /** Counts on from a random start: other nodes do not give the same numbers. */
  #lastStamp = randomInt(1, 2 ** 48 - 1);

  constructor(clock: Clock, replicas: Replicas, counters: MemcachedCounters) {
    this.#clock = clock;
    this.#cluster = replicas;
    this.#counters = counters;
  }

  async get(table: string, key: string): Promise<GetResult> {
    this.#counters.gets++;
    const wire = wireKey(table, key);
    const done = this.#cluster.enter();
    try {
      const read = await this.#read(wire);
      if (read.kind === "unavailable") return this.#unavailable(read.cause);
      const live = alive(read.winner);
      if (live === undefined) return NOT_FOUND;
      if (wire.hashed && (live.name?.table !== table || live.name.key !== key))
        return this.#unavailable(
          new StoreError({ code: "STORE_REPLICAS", problem: "an entry of another key" }),
        );
      this.#versions.set(live.stamp, baseOf(read));
      return { kind: "found", value: live.value, version: asVersion(live.stamp) };
    } finally {
      done();
    }
  }

  async put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    const fault = checkPut(table, value, options.ttlSeconds);
    if (fault !== undefined) throw fault;
    this.#counters.puts++;
    const wire = wireKey(table, key);
    const body = {
      tombstone: false,
      name: wire.hashed ? { table, key } : undefined,
      value: Buffer.from(value),
    };
    const { ifVersion } = options;
    // Its own second is partly over when memcached starts to count.
    const lifetime = Math.ceil(options.ttlSeconds) + 1;
    const done = this.#cluster.enter();
    try {
      for (let i = 0; i < MAX_STARTS; i++) {
        let base = i === 0 && ifVersion !== "absent" ? this.#cached(wire, ifVersion) : undefined;
        if (base === undefined) {
          const read = await this.#read(wire);
          if (read.kind === "unavailable") return this.#unavailable(read.cause);
          if ((alive(read.winner)?.stamp ?? "absent") !== ifVersion) return this.#contention();
          base = baseOf(read);
        }
        // The item outlives the entry when the one before would have: a stale copy must not.
        const seconds = Math.max(lifetime, base.seconds > lifetime ? outliving(base) : 0);
        const result = await this.#write(wire, base, { ...body, grace: seconds - lifetime }, seconds);
        if (result !== undefined) return result;
      }
      return this.#contention();
    } finally {
      done();
    }
  }

  async delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    this.#counters.deletes++;
    const wire = wireKey(table, key);
    const body: Body = {
      tombstone: true,
      grace: 0,
      name: wire.hashed ? { table, key } : undefined,
      value: Buffer.alloc(0),
    };
    const ifVersion = options?.ifVersion;
    const done = this.#cluster.enter();
    try {
      for (let i = 0; i < MAX_STARTS; i++) {
        const read = await this.#read(wire);
        if (read.kind === "unavailable") return this.#unavailable(read.cause);
        const live = alive(read.winner);
        if (ifVersion !== undefined && live?.stamp !== ifVersion) return this.#contention();
        const blind = read.winner === undefined && read.away.length > 0;
        if (live === undefined && !blind) return STORED;
        const base = baseOf(read);
        const seconds = blind ? BLIND_TOMBSTONE_SECONDS : Math.max(outliving(base), LEAST_TOMBSTONE_SECONDS);
        const result = await this.#write(wire, base, body, seconds);
        if (result !== undefined && (ifVersion !== undefined || result.kind !== "contention")) return result;
      }
      return this.#contention();
    } finally {
      done();
    }
  }

  async #read(wire: WireKey): Promise<ChainRead> {
    const read = await readChain(this.#cluster.chain(wire.key), wire.key, this.#counters);
    if (read.kind === "settled" && read.away.length > 0) this.#counters.degraded++;
    return read;
  }

  /** What the read of this version saw, unless other replicas are to be written by now. */
  #cached(wire: WireKey, version: number): Base | undefined {
    const base = this.#versions.take(version);
    if (base === undefined) return undefined;
    let i = 0;
    for (const replica of this.#cluster.chain(wire.key)) {
      if (!replica.up) continue;
      if (base.targets[i]?.replica !== replica) return undefined;
      i++;
    }
    return i === base.targets.length ? base : undefined;
  }

  /** Undefined: the entry is not as it was read, and nothing was written. */
  async #write(wire: WireKey, base: Base, body: Body, seconds: number): Promise<PutResult | undefined> {
    const { prior, targets } = base;
    const entry: Entry = {
      born: prior?.born ?? Math.max(0, Math.floor(this.#clock.now())),
      count: prior === undefined ? 0 : prior.count + 1,
      stamp: this.#nextStamp(),
      ancestors: prior === undefined ? [] : [prior.stamp, ...prior.ancestors].slice(0, MAX_ANCESTORS),
      ...body,
    };
    const chain = this.#cluster.chain(wire.key);
    const bytes = encodeEntry(wire.key, entry);
    const result = await writeChain({ key: wire.key, entry, bytes, seconds, targets });
    switch (result.kind) {
      case "stored": {
        const wrote = (replica: Replica): boolean =>
          targets.some((target) => target.replica === replica) && !result.away.includes(replica);
        for (const replica of chain) if (!wrote(replica)) this.#cluster.missed(replica, wire.key);
        return STORED;
      }
      case "refused":
        return undefined;
      case "lost":
        return this.#contention();
      case "unavailable":
        return this.#unavailable(result.cause);
    }
  }

  #nextStamp(): number {
    this.#lastStamp = this.#lastStamp >= 2 ** 48 - 1 ? 1 : this.#lastStamp + 1;
    return this.#lastStamp;
  }

  #unavailable(cause: Error): { kind: "unavailable"; cause: Error } {
    this.#counters.unavailable++;
    return { kind: "unavailable", cause };
  }

  #contention(): PutResult {
    this.#counters.contention++;
    return CONTENTION;
  }
}

/** The entry of a copy that is neither a tombstone nor past its lifetime. */
function alive(copy: Copy | undefined): Entry | undefined {
  if (copy?.entry === undefined || copy.entry.tombstone || copy.seconds <= copy.entry.grace) return undefined;
  return copy.entry;
}

function baseOf(read: ChainRead & { kind: "settled" }): Base {
  const entry = read.winner?.entry;
  return {
    targets: read.copies.map(({ replica, token }) => ({ replica, token })),
    // Without the value: it may be kept for long.
    prior:
      entry === undefined
        ? undefined
        : { born: entry.born, count: entry.count, stamp: entry.stamp, ancestors: entry.ancestors },
    seconds: read.winner?.seconds ?? 0,
    padded: entry !== undefined && (entry.tombstone || entry.grace > 0),
  };
}

/** A lifetime that ends after that of the entry before on every replica, whose seconds do not begin at one instant. */
function outliving(base: Base): number {
  return base.padded ? base.seconds : base.seconds + 2;
}
