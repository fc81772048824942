import type { Clock, Logger, LoopPacer, Service } from "@ims/runtime";
import type { DeleteOptions, GetResult, KvStore, PutOptions, PutResult } from "../kv-store.ts";
import type { StoreTls } from "../tls.ts";
import { Cluster } from "./cluster.ts";
import { type MemcachedCounters, newCounters } from "./counters.ts";
import { ReplicatedStore } from "./replicated-store.ts";
import type { ResyncResult } from "./resync.ts";
import type { ServerAddress } from "./server-address.ts";
import { wireKey } from "./wire-key.ts";

export interface MemcachedStoreOptions {
  /** The servers, written alike on every node: see `parseServers`. */
  readonly servers: readonly ServerAddress[];
  /** Servers about to replace them: see `setServers`. */
  readonly next?: readonly ServerAddress[];
  /** Servers that hold each entry. Default 2. */
  readonly replicas?: number;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly pacer?: LoopPacer;
  /** The servers speak TLS, with certificates of the core. Default: in the clear. */
  readonly tls?: StoreTls | undefined;
  /** A server whose reply is later than this is away until it answers again, ms. Default 250. */
  readonly deadlineMs?: number;
  /** Requests waiting for one server beyond which it counts as away. Default 10,000. */
  readonly maxPending?: number;
  /** Jitter; default Math.random. */
  readonly random?: () => number;
}

const DEADLINE_MS = 250;
const MAX_PENDING = 10_000;

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
  readonly #cluster: Cluster;
  readonly #entries: ReplicatedStore;

  constructor(options: MemcachedStoreOptions) {
    this.#cluster = new Cluster({
      servers: options.servers,
      replicas: options.replicas ?? 2,
      clock: options.clock,
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      maxPending: options.maxPending ?? MAX_PENDING,
      counters: this.counters,
      random: options.random ?? Math.random,
      ...(options.next === undefined ? {} : { next: options.next }),
      ...(options.log === undefined ? {} : { log: options.log }),
      ...(options.pacer === undefined ? {} : { pacer: options.pacer }),
      tls: options.tls,
    });
    this.#entries = new ReplicatedStore(options.clock, this.#cluster, this.counters);
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

  /** False while no server of the key has been up for long enough that all members have connected to it. */
  isSettled(table: string, key: string): boolean {
    return this.#cluster.isSettled || this.#cluster.isSettledFor(wireKey(table, key).key);
  }

  get(table: string, key: string): Promise<GetResult> {
    return this.#entries.get(table, key);
  }

  put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    return this.#entries.put(table, key, value, options);
  }

  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    return this.#entries.delete(table, key, options);
  }
}

export function memcachedStore(options: MemcachedStoreOptions): MemcachedStore {
  return new MemcachedStore(options);
}
