import { randomInt } from "node:crypto";
import type { Clock, Logger, LoopPacer, Service } from "@ims/runtime";
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
import { Cluster } from "./cluster.ts";
import { type MemcachedCounters, newCounters } from "./counters.ts";
import { type Entry, encodeEntry, MAX_ANCESTORS } from "./entry.ts";
import type { Replica } from "./replica.ts";
import type { ResyncResult } from "./resync.ts";
import type { ServerAddress } from "./server-address.ts";
import { type Base, VersionCache } from "./version-cache.ts";
import { type WireKey, wireKey } from "./wire-key.ts";

export interface MemcachedStoreOptions {
  /** The servers, written alike on every node: see `parseServers`. */
  readonly servers: readonly ServerAddress[];
  /** Servers that hold each entry. Default 2. */
  readonly replicas?: number;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly pacer?: LoopPacer;
  /** A server whose reply is later than this is away until it answers again, ms. Default 250. */
  readonly deadlineMs?: number;
  /** Requests waiting for one server beyond which it counts as away. Default 10,000. */
  readonly maxPending?: number;
  /** Jitter; default Math.random. */
  readonly random?: () => number;
}

const NOT_FOUND: GetResult = { kind: "notFound" };
const STORED: PutResult = { kind: "stored" };
const CONTENTION: PutResult = { kind: "contention" };

const DEADLINE_MS = 250;
const MAX_PENDING = 10_000;
/** Reads whose guards are kept for the write that follows. */
const VERSIONS = 4_096;
/** Times a write starts again because an entry changed under it without becoming another one. */
const MAX_STARTS = 12;
/** A tombstone lives as long as what it replaces could on a replica that is away; at least this long. */
const LEAST_TOMBSTONE_SECONDS = 30;
/** And this long where nobody knows what the replica that is away holds. */
const BLIND_TOMBSTONE_SECONDS = 3_600;

type Body = Pick<Entry, "tombstone" | "grace" | "name" | "value">;

/**
 * The shared store of a pool: every entry on two memcached servers, lost only when both lose it.
 *
 * A write passes the replicas of its key in an order that all nodes share and takes effect when the last one that answers has
 * accepted it; reads ask all replicas and bring the copies into line. So with one replica of a key dead, hung, cut off from
 * some nodes or empty after a restart, entries stay linearizable: no acknowledged write is lost, none comes back, two writers
 * under one version never both win. Not covered, and left to the durable copy: both replicas lost or empty before the
 * resynchronisation; one node seeing only the one, another only the other replica; a replica that lost an entry being the only one
 * in view; eviction from a full server on both replicas. `unavailable` after a write means that it may have taken effect.
 * Lifetimes are whole seconds, rounded up; no clock of a node has a part in them.
 */
export class MemcachedStore implements KvStore, Service {
  readonly counters: MemcachedCounters = newCounters();
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #versions = new VersionCache(VERSIONS);
  /** Counts on from a random start: other nodes do not give the same numbers. */
  #lastStamp = randomInt(1, 2 ** 48 - 1);

  constructor(options: MemcachedStoreOptions) {
    this.#clock = options.clock;
    this.#cluster = new Cluster({
      servers: options.servers,
      replicas: options.replicas ?? 2,
      clock: options.clock,
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      maxPending: options.maxPending ?? MAX_PENDING,
      counters: this.counters,
      random: options.random ?? Math.random,
      ...(options.log === undefined ? {} : { log: options.log }),
      ...(options.pacer === undefined ? {} : { pacer: options.pacer }),
    });
  }

  /** Resolves when every server was tried; servers that are away are tried again for ever. */
  start(): Promise<void> {
    return this.#cluster.start();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  /** Afterwards every operation is unavailable. */
  stop(): Promise<void> {
    this.#cluster.stop();
    return Promise.resolve();
  }

  /** Which servers answer. */
  servers(): { readonly id: string; readonly up: boolean }[] {
    return this.#cluster.states();
  }

  /**
   * Changes the servers. With `next`, entries are read from and written to both sets. Resolves when all operations begun
   * before have ended. To grow or shrink without losing an entry: give every node (current, next), wait for all of them;
   * `resync` on one; give every node (next). Rejects with StoreError STORE_SERVER_LIST for an empty list.
   */
  async setServers(current: readonly ServerAddress[], next?: readonly ServerAddress[]): Promise<void> {
    await this.#cluster.setServers(current, next);
  }

  /** Compares the copies of every entry on all servers and brings them into line, slowly. Never rejects. */
  resync(): Promise<ResyncResult> {
    return this.#cluster.resync();
  }

  async get(table: string, key: string): Promise<GetResult> {
    this.counters.gets++;
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
    this.counters.puts++;
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
        const seconds = base.seconds > lifetime ? base.seconds + 1 : lifetime;
        const result = await this.#write(wire, base, { ...body, grace: seconds - lifetime }, seconds);
        if (result !== undefined) return result;
      }
      return this.#contention();
    } finally {
      done();
    }
  }

  async delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    this.counters.deletes++;
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
        const seconds = blind ? BLIND_TOMBSTONE_SECONDS : Math.max(base.seconds + 2, LEAST_TOMBSTONE_SECONDS);
        const result = await this.#write(wire, base, body, seconds);
        if (result !== undefined && (ifVersion !== undefined || result.kind !== "contention")) return result;
      }
      return this.#contention();
    } finally {
      done();
    }
  }

  async #read(wire: WireKey): Promise<ChainRead> {
    const read = await readChain(this.#cluster.chain(wire.key), wire.key, this.counters);
    if (read.kind === "settled" && read.away.length > 0) this.counters.degraded++;
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
    this.counters.unavailable++;
    return { kind: "unavailable", cause };
  }

  #contention(): PutResult {
    this.counters.contention++;
    return CONTENTION;
  }
}

export function memcachedStore(options: MemcachedStoreOptions): MemcachedStore {
  return new MemcachedStore(options);
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
  };
}
