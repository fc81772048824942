import { matchesWildcard, parseWildcardedImpu, type WildcardedImpu } from "@ims/ims";
import { type Clock, type Logger, nextTurn, oldestKeys, type Timer } from "@ims/runtime";
import { homesteadProblems } from "../problems.ts";
import type { Eventually, Saved, StateChange } from "./hss.ts";
import { namesOf, parkedKey, privateName, setName } from "./record-names.ts";
import { asPrivate, asPublic, keyOf, namedOf, type Stored, stateAfter } from "./stored.ts";
import type { Subscriber } from "./subscriber.ts";
import type {
  ImportOptions,
  ImportResult,
  ListQuery,
  Page,
  PageQuery,
  RemoveResult,
  RowFault,
  SubscriberRecord,
  SubscriberRepository,
  WriteResult,
} from "./subscriber-repository.ts";
import type { SubscriberTables } from "./subscriber-tables.ts";
import { Subscription } from "./subscription.ts";

/** Changes of this long are written in one transaction. */
const GROUP_COMMIT_MS = 10;
/** Rows of one turn of the event loop: about a millisecond, so calls go on during an import. */
const ROWS_PER_TURN = 16;

export type EmbeddedRepositoryOptions = {
  /** Subscribers kept decoded in memory. */
  readonly cacheSize: number;
};

/** Subscribers of one homestead: decoded in memory in front of a database file, states written behind. */
export class EmbeddedRepository implements SubscriberRepository {
  readonly #tables: SubscriberTables;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cacheSize: number;
  /** Least recently used first. */
  readonly #cache = new Map<string, Stored>();
  readonly #owners = new Map<string, string>();
  /** By the names of their rows. */
  readonly #dirty = new Map<string, Stored>();
  #wildcards: readonly { readonly wildcard: WildcardedImpu; readonly impi: string }[] = [];
  #timer: Timer | undefined;
  #import: Promise<void> | undefined;

  constructor(
    tables: SubscriberTables,
    options: EmbeddedRepositoryOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#tables = tables;
    this.#clock = clock;
    this.#log = log;
    this.#cacheSize = options.cacheSize;
    this.#readWildcards();
  }

  get size(): number {
    return this.#tables.count();
  }

  byPrivateIdentity(impi: string): Subscriber | undefined {
    const found = asPrivate(this.#stored(impi), impi);
    if (found !== undefined) return found;
    return asPrivate(this.#ownedBy(privateName(impi)), impi);
  }

  byPublicIdentity(canonical: string): Subscriber | undefined {
    const owner = this.#ownedBy(canonical);
    if (owner !== undefined) return asPublic(owner, canonical);
    const covering = this.#wildcards.find(({ wildcard }) => matchesWildcard(wildcard, canonical));
    return covering && asPublic(this.#stored(covering.impi), canonical);
  }

  bySet(id: string): Subscriber | undefined {
    const owner = this.#ownedBy(setName(id));
    return owner instanceof Subscription ? owner.ofSet(id) : undefined;
  }

  parked(impi: string): Subscriber | undefined {
    return asPrivate(this.#stored(parkedKey(impi)), impi);
  }

  /** On disk soon, not now. */
  save(subscriber: Subscriber, change: StateChange): Saved {
    const key = keyOf(subscriber);
    const { part } = subscriber;
    if (this.#cache.get(key) !== (part?.subscription ?? subscriber)) return "overtaken";
    const state = stateAfter(subscriber, change);
    if (part !== undefined && state !== undefined) {
      const changed = part.subscription.with(state);
      this.#cache.set(key, changed);
      this.#dirty.set(key, changed);
    } else {
      if (change.registration !== undefined) subscriber.registration = change.registration;
      if (change.sqn !== undefined) subscriber.sqn = change.sqn;
      this.#dirty.set(key, subscriber);
    }
    this.#timer ??= this.#clock.setTimer(GROUP_COMMIT_MS, () => this.flush());
    return "saved";
  }

  inTurn<T>(_name: string, work: () => Eventually<T>): Eventually<T> {
    return work();
  }

  /** A failure keeps what is queued for the next time. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#dirty.size === 0) return;
    // Written inside the import it would be undone with it; the import's end writes it.
    if (this.#import !== undefined) return;
    try {
      this.#tables.saveStates(this.#dirty.values());
      this.#dirty.clear();
    } catch (error) {
      this.#log.error(
        { err: error, subscribers: this.#dirty.size, problemId: homesteadProblems.statesNotWritten.id },
        "registration states not written",
      );
      this.#timer = this.#clock.setTimer(1000, () => this.flush());
    }
  }

  insert(record: SubscriberRecord): Eventually<WriteResult> {
    return this.#writing(() => this.#written(record.impi, this.#tables.insert(record)));
  }

  replace(before: Subscriber, record: SubscriberRecord): Eventually<WriteResult> {
    return this.#writing(() => {
      if (this.#stored(keyOf(before)) !== (before.part?.subscription ?? before)) return { kind: "overtaken" };
      this.flush();
      return this.#written(record.impi, this.#tables.replace(record));
    });
  }

  remove(before: Subscriber): Eventually<RemoveResult> {
    return this.#writing((): RemoveResult => {
      this.flush();
      const key = keyOf(before);
      const stored = this.#stored(key);
      if (stored !== undefined && stored !== (before.part?.subscription ?? before))
        return { kind: "overtaken" };
      const removed = this.#tables.remove(key);
      this.#written(key, { kind: "written" });
      return { kind: removed ? "written" : "notFound" };
    });
  }

  page(query: PageQuery): Page {
    this.flush();
    return this.#tables.page(query);
  }

  publicIdentities(query: ListQuery): readonly string[] {
    return this.#tables.publicIdentities(query);
  }

  /** One transaction over many turns; states that change meanwhile are written after it. */
  import(records: readonly SubscriberRecord[], { dryRun, partial }: ImportOptions): Promise<ImportResult> {
    return this.#exclusively(async () => {
      const faults: RowFault[] = [];
      for (const [index, record] of records.entries()) {
        if (index % ROWS_PER_TURN === 0) await nextTurn();
        const fault = this.#written(record.impi, this.#tables.insert(record));
        if (fault.kind === "conflict") faults.push({ index, fault });
      }
      const keep = !dryRun && (partial || faults.length === 0);
      return { keep, value: { applied: keep ? records.length - faults.length : 0, faults } };
    });
  }

  async close(): Promise<void> {
    this.flush();
    this.#timer?.cancel();
    await this.#tables.close();
  }

  /** Writes of others wait while an import holds the database. */
  #writing<T>(write: () => T): Eventually<T> {
    return this.#import === undefined ? write() : this.#whenFree().then(write);
  }

  async #whenFree(): Promise<void> {
    while (this.#import !== undefined) await this.#import;
  }

  /** Several writes over several turns as one transaction, undone when `keep` is false or the work fails. */
  async #exclusively<T>(work: () => Promise<{ readonly keep: boolean; readonly value: T }>): Promise<T> {
    await this.#whenFree();
    this.flush();
    const transaction = this.#tables.begin();
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

  /** By the name of its row. */
  #stored(key: string): Stored | undefined {
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const found = this.#tables.find(key);
    if (found !== undefined) this.#remember(key, found);
    return found;
  }

  #ownedBy(name: string): Stored | undefined {
    const owner = this.#owners.get(name) ?? this.#tables.ownerOf(name);
    return owner === undefined ? undefined : this.#stored(owner);
  }

  #written<R extends { readonly kind: string }>(key: string, result: R): R {
    if (result.kind !== "written") return result;
    this.#forget(key);
    this.#readWildcards();
    return result;
  }

  #readWildcards(): void {
    this.#wildcards = this.#tables.wildcards().flatMap(({ text, impi }) => {
      const wildcard = parseWildcardedImpu(text);
      return wildcard === undefined ? [] : [{ wildcard, impi }];
    });
  }

  #remember(key: string, stored: Stored): void {
    if (this.#cache.size >= this.#cacheSize) {
      for (const oldest of oldestKeys(this.#cache, this.#cacheSize)) {
        if (this.#dirty.has(oldest)) this.flush();
        // What could not be written stays at hand until it is.
        if (!this.#dirty.has(oldest)) this.#forget(oldest);
      }
    }
    this.#cache.set(key, stored);
    for (const { canonical } of namesOf(namedOf(stored))) this.#owners.set(canonical, key);
  }

  /** Keeps what is still to be written. */
  #forgetAll(): void {
    for (const key of [...this.#cache.keys()]) if (!this.#dirty.has(key)) this.#forget(key);
  }

  #forget(key: string): void {
    const stored = this.#cache.get(key);
    if (stored === undefined) return;
    this.#cache.delete(key);
    for (const { canonical } of namesOf(namedOf(stored))) this.#owners.delete(canonical);
  }
}
