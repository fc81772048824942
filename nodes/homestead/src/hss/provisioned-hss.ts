import { matchesWildcard, parseWildcardedImpu, type WildcardedImpu } from "@ims/ims";
import type { Clock, Logger, Timer } from "@ims/runtime";
import type { Hss } from "./hss.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Page, SubscriberRecord, SubscriberRepository, WriteResult } from "./subscriber-repository.ts";

/** Changes of this long are written in one transaction. */
const GROUP_COMMIT_MS = 10;

export type ProvisionedHssOptions = {
  /** Subscribers kept decoded in memory. */
  readonly cacheSize: number;
};

/** The built-in HSS: subscribers decoded in memory in front of a repository, states written behind. */
export class ProvisionedHss implements Hss {
  readonly #repository: SubscriberRepository;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cacheSize: number;
  /** Least recently used first. */
  readonly #cache = new Map<string, Subscriber>();
  readonly #owners = new Map<string, string>();
  readonly #dirty = new Set<Subscriber>();
  #wildcards: readonly { readonly wildcard: WildcardedImpu; readonly impi: string }[] = [];
  #timer: Timer | undefined;
  #import: Promise<void> | undefined;

  constructor(
    repository: SubscriberRepository,
    options: ProvisionedHssOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#repository = repository;
    this.#clock = clock;
    this.#log = log;
    this.#cacheSize = options.cacheSize;
    this.#readWildcards();
  }

  get size(): number {
    return this.#repository.count();
  }

  byPrivateIdentity(impi: string): Subscriber | undefined {
    const cached = this.#cache.get(impi);
    if (cached !== undefined) {
      this.#cache.delete(impi);
      this.#cache.set(impi, cached);
      return cached;
    }
    const found = this.#repository.find(impi);
    if (found !== undefined) this.#remember(found);
    return found;
  }

  byPublicIdentity(canonical: string): Subscriber | undefined {
    const owner = this.#owners.get(canonical) ?? this.#repository.ownerOf(canonical);
    if (owner !== undefined) return this.byPrivateIdentity(owner);
    const covering = this.#wildcards.find(({ wildcard }) => matchesWildcard(wildcard, canonical));
    return covering && this.byPrivateIdentity(covering.impi);
  }

  changed(subscriber: Subscriber): void {
    this.#dirty.add(subscriber);
    this.#timer ??= this.#clock.setTimer(GROUP_COMMIT_MS, () => this.flush());
  }

  /** Writes what is queued. A failure keeps it queued for the next time. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#dirty.size === 0) return;
    if (this.#import !== undefined) {
      // Written inside the import it would be undone with it; the import's end writes it.
      return;
    }
    try {
      this.#repository.saveStates([...this.#dirty]);
      this.#dirty.clear();
    } catch (error) {
      this.#log.error({ err: error, subscribers: this.#dirty.size }, "registration states not written");
      this.#timer = this.#clock.setTimer(1000, () => this.flush());
    }
  }

  add(record: SubscriberRecord): WriteResult {
    return this.#written(record.impi, this.#repository.insert(record));
  }

  replace(record: SubscriberRecord): WriteResult {
    this.flush();
    return this.#written(record.impi, this.#repository.replace(record));
  }

  remove(impi: string): boolean {
    this.flush();
    const removed = this.#repository.remove(impi);
    this.#written(impi, { kind: "written" });
    return removed;
  }

  page(query: { after: string; limit: number; search: string | undefined }): Page {
    this.flush();
    return this.#repository.page(query);
  }

  /** Resolves when no import holds the repository; a write may follow in the same turn. */
  async whenWritable(): Promise<void> {
    while (this.#import !== undefined) await this.#import;
  }

  /**
   * Several writes over several turns as one transaction, undone when `keep` is false or the work fails. States that
   * change meanwhile are written after it.
   */
  async exclusively<T>(work: () => Promise<{ readonly keep: boolean; readonly value: T }>): Promise<T> {
    await this.whenWritable();
    this.flush();
    const transaction = this.#repository.begin();
    const running = Promise.withResolvers<void>();
    this.#import = running.promise;
    let keep = false;
    try {
      const result = await work();
      keep = result.keep;
      return result.value;
    } finally {
      transaction.end(keep);
      if (!keep) this.#forgetAll();
      this.#import = undefined;
      this.#readWildcards();
      running.resolve();
      this.flush();
    }
  }

  close(): void {
    this.flush();
    this.#timer?.cancel();
    this.#repository.close();
  }

  #written(impi: string, result: WriteResult): WriteResult {
    const known = this.#cache.get(impi);
    if (known !== undefined) this.#forget(known);
    this.#readWildcards();
    return result;
  }

  #readWildcards(): void {
    this.#wildcards = this.#repository.wildcards().flatMap(({ text, impi }) => {
      const wildcard = parseWildcardedImpu(text);
      return wildcard === undefined ? [] : [{ wildcard, impi }];
    });
  }

  #remember(subscriber: Subscriber): void {
    if (this.#cache.size >= this.#cacheSize) {
      const oldest = this.#cache.values().next().value;
      if (oldest !== undefined) {
        if (this.#dirty.has(oldest)) this.flush();
        // What could not be written stays at hand until it is.
        if (!this.#dirty.has(oldest)) this.#forget(oldest);
      }
    }
    this.#cache.set(subscriber.impi, subscriber);
    for (const { canonical } of subscriber.identities) this.#owners.set(canonical, subscriber.impi);
  }

  /** Keeps what is still to be written. */
  #forgetAll(): void {
    for (const each of [...this.#cache.values()]) if (!this.#dirty.has(each)) this.#forget(each);
  }

  #forget(subscriber: Subscriber): void {
    this.#cache.delete(subscriber.impi);
    for (const { canonical } of subscriber.identities) this.#owners.delete(canonical);
  }
}
