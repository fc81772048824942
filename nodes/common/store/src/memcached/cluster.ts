import type { Clock, Logger, LoopPacer, Timer } from "@ims/runtime";
import { StoreError } from "../errors.ts";
import type { StoreTls } from "../tls.ts";
import { readChain } from "./chain-read.ts";
import type { MemcachedCounters } from "./counters.ts";
import { MissedWrites } from "./missed-writes.ts";
import { chainOf, type View } from "./placement.ts";
import type { Replica } from "./replica.ts";
import { type ResyncResult, resynchronize } from "./resync.ts";
import { Server } from "./server.ts";
import type { ServerAddress } from "./server-address.ts";

export interface ClusterOptions {
  readonly servers: readonly ServerAddress[];
  readonly next?: readonly ServerAddress[];
  readonly replicas: number;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly maxPending: number;
  readonly counters: MemcachedCounters;
  readonly random: () => number;
  readonly log?: Logger;
  readonly pacer?: LoopPacer;
  readonly tls?: StoreTls | undefined;
}

/** Operations begun under one view. */
interface Era {
  running: number;
  over: (() => void) | undefined;
}

/** Missed writes kept by entry, for each server; beyond, everything is compared. */
const MISSED_LIMIT = 10_000;
/** A server that answers but did not take a write is offered it once more after this time. */
const SECOND_TRY_MS = 100;
/** Who fills up a server says so for this long at a time. */
const FILLING_SECONDS = 10;
/** Nodes that see an empty server come up do not all try at once. */
const FILLING_SPREAD_MS = 300;

/** The servers of a store: which of them hold a key, what they missed, and filling up those that came back empty. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #servers = new Map<string, Server>();
  readonly #missed = new MissedWrites(MISSED_LIMIT);
  readonly #timers = new Set<Timer>();
  #view: View<Server>;
  #era: Era = { running: 0, over: undefined };
  #started = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#view = this.#viewOf(options.servers, options.next);
  }

  async start(): Promise<void> {
    this.#started = true;
    await Promise.all([...this.#servers.values()].map((server) => server.start()));
  }

  stop(): void {
    this.#started = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const server of this.#servers.values()) server.stop();
  }

  states(): { readonly id: string; readonly up: boolean }[] {
    return [...this.#servers.values()].map(({ id, up }) => ({ id, up }));
  }

  /** The replicas of a key, in the order in which they are written. */
  chain(key: string): Server[] {
    return chainOf(this.#view, key, this.#options.replicas);
  }

  /** Whether every node can be expected to see all servers. */
  get isSettled(): boolean {
    for (const server of this.#servers.values()) if (!server.isSettled) return false;
    return true;
  }

  /** The same for one of the servers that hold the key. */
  isSettledFor(key: string): boolean {
    return this.chain(key).some((server) => server.isSettled);
  }

  /** An operation begins; call the result when it has ended. */
  enter(): () => void {
    const era = this.#era;
    era.running++;
    return () => {
      if (--era.running === 0) era.over?.();
    };
  }

  async setServers(current: readonly ServerAddress[], next?: readonly ServerAddress[]): Promise<void> {
    this.#view = this.#viewOf(current, next);
    const used = new Set([...this.#view.current, ...(this.#view.next ?? [])]);
    const starting = this.#started ? [...used].map((server) => server.start()) : [];
    const era = this.#era;
    this.#era = { running: 0, over: undefined };
    if (era.running > 0)
      await new Promise<void>((resolve) => {
        era.over = resolve;
      });
    await Promise.all(starting);
    for (const server of this.#servers.values()) {
      if (this.#view.current.includes(server) || this.#view.next?.includes(server)) continue;
      this.#servers.delete(server.id);
      this.#missed.forget(server);
      server.stop();
    }
  }

  /** A replica did not get a write. */
  missed(replica: Replica, key: string): void {
    const server = this.#servers.get(replica.id);
    if (server === undefined) return;
    if (!server.up) {
      if (this.#missed.note(server, key)) this.#options.counters.missed++;
      return;
    }
    // It has come back between the write and now, or it has no room.
    this.#options.counters.missed++;
    this.#later(SECOND_TRY_MS, () => void this.#giveKeys(server, [key]));
  }

  resync(): Promise<ResyncResult> {
    return this.#walk([...this.#servers.values()], () => true);
  }

  #viewOf(current: readonly ServerAddress[], next: readonly ServerAddress[] | undefined): View<Server> {
    if (current.length === 0 || next?.length === 0)
      throw new StoreError({ code: "STORE_SERVER_LIST", text: "", problem: "no server" });
    const serversOf = (addresses: readonly ServerAddress[]): Server[] => [
      ...new Set(addresses.map((address) => this.#serverOf(address))),
    ];
    return next === undefined
      ? { current: serversOf(current) }
      : { current: serversOf(current), next: serversOf(next) };
  }

  #serverOf(address: ServerAddress): Server {
    const known = this.#servers.get(address.id);
    if (known !== undefined) return known;
    const { clock, deadlineMs, maxPending, counters, random, log, pacer } = this.#options;
    const server = new Server(address, {
      clock,
      deadlineMs,
      maxPending,
      counters,
      random,
      onUp: (up, whole) => this.#onUp(up, whole),
      tls: this.#options.tls,
      ...(log === undefined ? {} : { log }),
      ...(pacer === undefined ? {} : { pacer }),
    });
    this.#servers.set(address.id, server);
    return server;
  }

  #onUp(server: Server, whole: boolean): void {
    this.#giveMissed(server);
    if (!whole) this.#later(this.#options.random() * FILLING_SPREAD_MS, () => void this.#fill(server));
  }

  /** Brings what a server missed into line. */
  #giveMissed(server: Server): void {
    const { keys, complete } = this.#missed.take(server);
    if (!complete) {
      void this.#walk([...this.#servers.values()], (key) => this.chain(key).includes(server));
    } else if (keys.length > 0) {
      void this.#giveKeys(server, keys);
    }
  }

  async #giveKeys(server: Server, keys: readonly string[]): Promise<void> {
    const batch = 32;
    for (let at = 0; at < keys.length; at += batch) {
      const some = keys.slice(at, at + batch);
      const results = await Promise.all(some.map((key) => this.#compare(key)));
      for (const [i, key] of some.entries()) if (!results[i]) this.#missed.note(server, key);
      if (!server.up) {
        for (const key of keys.slice(at + batch)) this.#missed.note(server, key);
        return;
      }
      await this.#pause(1);
    }
  }

  /** One node fills up a server that came up empty, the others see to it that somebody does. */
  async #fill(server: Server): Promise<void> {
    if (!server.up || !this.#started) return;
    if ((await server.isWhole()) !== false) return;
    if (!(await server.claimFilling(FILLING_SECONDS))) {
      this.#later(FILLING_SECONDS * 1000 + this.#options.random() * FILLING_SPREAD_MS, () => {
        void this.#fill(server);
      });
      return;
    }
    const sources = [...this.#servers.values()].filter((other) => other !== server);
    const renewEvery = (FILLING_SECONDS * 1000) / 2;
    let renewAt = this.#options.clock.monotonic() + renewEvery;
    const result = await this.#walk(
      sources,
      (key) => this.chain(key).includes(server),
      async () => {
        if (this.#options.clock.monotonic() < renewAt) return server.up;
        renewAt = this.#options.clock.monotonic() + renewEvery;
        return server.renewFilling(FILLING_SECONDS);
      },
    );
    if (!server.up) return;
    // A source that is away cannot be waited for: what only it holds is repaired when it comes back.
    await server.markWhole();
    this.#options.log?.info({ server: server.id, ...result }, "memcached filled up");
  }

  #walk(
    sources: readonly Server[],
    wanted: (key: string) => boolean,
    goOn: () => Promise<boolean> | boolean = () => true,
  ): Promise<ResyncResult> {
    return resynchronize({
      sources,
      clock: this.#options.clock,
      wanted,
      compare: (key) => this.#compare(key),
      goOn: () => this.#started && goOn(),
    });
  }

  /** False when a replica did not answer. */
  async #compare(key: string): Promise<boolean> {
    const done = this.enter();
    try {
      const { counters } = this.#options;
      counters.resynchronized++;
      const read = await readChain(this.chain(key), key, counters);
      return read.kind === "settled" && read.away.length === 0;
    } finally {
      done();
    }
  }

  #later(ms: number, fn: () => void): void {
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      fn();
    });
    this.#timers.add(timer);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setTimer(ms, resolve);
    });
  }
}
