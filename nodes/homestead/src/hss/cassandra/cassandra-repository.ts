import { randomUUID } from "node:crypto";
import type { Clock } from "@ims/runtime";
import {
  type Found,
  type Lookups,
  type Saved,
  type StateChange,
  UNAVAILABLE,
  type Unavailable,
} from "../hss.ts";
import { parkedKey, privateName, setName } from "../record-names.ts";
import type { Sealing } from "../sealing.ts";
import { asPrivate, asPublic, renamed, type Stored, stateAfter } from "../stored.ts";
import type { Subscriber } from "../subscriber.ts";
import type {
  ImportOptions,
  ImportResult,
  ListQuery,
  Page,
  PageQuery,
  RemoveResult,
  SubscriberRecord,
  SubscriberRepository,
  WriteResult,
} from "../subscriber-repository.ts";
import { Subscription } from "../subscription.ts";
import { encodeState } from "../subscription-state.ts";
import { BulkImport } from "./bulk-import.ts";
import { type Cql, text } from "./cql.ts";
import { Provisioning } from "./provisioning.ts";
import { publicIdentityList } from "./public-identity-list.ts";
import { RecentReads } from "./recent-reads.ts";
import { RecordCache } from "./record-cache.ts";
import * as cql from "./statements.ts";
import {
  recordOf,
  rowOf,
  type StoredRow,
  StoredSubscriber,
  StoredSubscription,
  sqnText,
  storedRow,
} from "./stored-subscriber.ts";
import { subscriberPage } from "./subscriber-page.ts";
import { Turns } from "./turns.ts";
import { WildcardList } from "./wildcard-list.ts";

export type CassandraRepositoryModules = {
  readonly sealing: Sealing;
  readonly clock: Clock;
  /** Ends what the repository stands on. */
  readonly close?: () => Promise<void>;
};

/** Inserts whose operation was given up by an impatient other are begun again. */
const INSERTS = 3;

/**
 * Subscribers shared by all homesteads of a pool. Every look-up reads the row, so that no procedure acts on what another
 * homestead has changed; only the decoding of a record is kept, by its version.
 */
export class CassandraRepository implements SubscriberRepository {
  readonly #cql: Cql;
  readonly #patient: Cql;
  readonly #sealing: Sealing;
  readonly #cache: RecordCache;
  readonly #wildcards: WildcardList;
  readonly #provisioning: Provisioning;
  readonly #import: BulkImport;
  readonly #turns: Turns;
  readonly #recent: RecentReads;
  readonly #recentLookups: Lookups;
  readonly #close: () => Promise<void>;

  constructor(session: Cql, options: { readonly cacheSize: number }, modules: CassandraRepositoryModules) {
    this.#cql = session;
    this.#turns = new Turns(modules.clock);
    this.#recent = new RecentReads(modules.clock);
    this.#recentLookups = {
      byPrivateIdentity: (impi) => this.#recent.get(impi),
      byPublicIdentity: (canonical) => this.#recent.get(this.#cache.owner(canonical) ?? ""),
    };
    this.#sealing = modules.sealing;
    this.#close = modules.close ?? (async () => undefined);
    this.#cache = new RecordCache(options.cacheSize);
    this.#wildcards = new WildcardList(session, modules.clock);
    this.#patient = session.patient();
    this.#provisioning = new Provisioning(this.#patient, modules);
    const find = (impi: string) => this.#byPrivate(impi, this.#patient);
    this.#import = new BulkImport(
      { find, insert: (record) => this.insert(record), remove: (before) => this.remove(before) },
      this.#provisioning.claims,
    );
  }

  /** What was read or saved here within seconds. */
  get recent(): Lookups {
    return this.#recentLookups;
  }

  /** Records kept decoded. */
  get cached(): number {
    return this.#cache.size;
  }

  byPrivateIdentity(impi: string): Promise<Found> {
    return this.#byPrivate(impi, this.#cql);
  }

  async byPublicIdentity(canonical: string): Promise<Found> {
    const view = (stored: Stored): Subscriber | undefined => asPublic(stored, canonical);
    const found = await this.#named(canonical, view);
    if (found !== undefined) return found;
    const covering = await this.#wildcards.ownersOf(canonical);
    if (covering === UNAVAILABLE) return UNAVAILABLE;
    for (const key of covering) {
      const covered = await this.#viewIn(key, view);
      if (covered !== undefined) return covered;
    }
    return undefined;
  }

  bySet(id: string): Promise<Found> {
    return this.#named(
      setName(id),
      (stored) => (stored instanceof Subscription ? stored.ofSet(id) : undefined),
      this.#patient,
    );
  }

  parked(impi: string): Promise<Found> {
    return this.#viewIn(parkedKey(impi), (stored) => asPrivate(stored, impi), this.#patient);
  }

  /** "overtaken" when the record or the registration was changed since the subscriber was read. */
  async save(subscriber: Subscriber, change: StateChange): Promise<Saved> {
    const before = rowOf(subscriber);
    if (before instanceof StoredSubscription) return this.#saveStates(subscriber, before, change);
    const { impi, recordVersion } = before;
    const { registration = before.registration, sqn = before.sqn } = change;
    const stateVersion = randomUUID();
    const result = await this.#cql.change(
      cql.saveState,
      [
        registration.state,
        registration.authenticationPending,
        registration.serverName ?? null,
        registration.originHost ?? null,
        registration.originRealm ?? null,
        sqnText(sqn),
        stateVersion,
        impi,
        before.stateVersion,
        recordVersion,
      ],
      (row) => text(row, "state_version") === stateVersion,
    );
    if (result.kind === "applied") {
      this.#recent.set(new StoredSubscriber(before, recordVersion, { registration, sqn, stateVersion }));
      return "saved";
    }
    this.#recent.delete(impi);
    return result.kind === "refused" ? "overtaken" : UNAVAILABLE;
  }

  async #saveStates(subscriber: Subscriber, before: StoredSubscription, change: StateChange): Promise<Saved> {
    const state = stateAfter(subscriber, change) ?? before.state;
    const { serverName = null, originHost = null, originRealm = null } = state.server ?? {};
    const stateVersion = randomUUID();
    const { key, recordVersion } = before;
    const values = [encodeState(state), serverName, originHost, originRealm, stateVersion];
    const result = await this.#cql.change(
      cql.saveStates,
      [...values, key, before.stateVersion, recordVersion],
      (row) => text(row, "state_version") === stateVersion,
    );
    if (result.kind === "applied") return "saved";
    return result.kind === "refused" ? "overtaken" : UNAVAILABLE;
  }

  inTurn<T>(name: string, work: () => T | Promise<T>): Promise<T | Unavailable> {
    return this.#turns.take(name, work);
  }

  async insert(record: SubscriberRecord): Promise<WriteResult> {
    let result: WriteResult = { kind: "overtaken" };
    let named = record;
    for (let attempt = 0; attempt < INSERTS && result.kind === "overtaken"; attempt++) {
      const inserted = await this.#provisioning.insert(named);
      if (inserted.kind === "rowInUse") named = renamed(record, randomUUID());
      else result = inserted;
    }
    this.#wildcards.changed();
    return result;
  }

  async replace(before: Subscriber, record: SubscriberRecord): Promise<WriteResult> {
    const result = await this.#provisioning.replace(rowOf(before), record);
    this.#wildcards.changed();
    return result;
  }

  async remove(before: Subscriber): Promise<RemoveResult> {
    const result = await this.#provisioning.remove(rowOf(before));
    this.#wildcards.changed();
    return result;
  }

  /** In the order in which Cassandra keeps them; each page by private identity. */
  page(query: PageQuery): Promise<Page | Unavailable> {
    return subscriberPage(query, this.#patient, this.#sealing);
  }

  /** By the tokens of their partitions; the wildcarded ones, which are one partition, in the first part. */
  publicIdentities(query: ListQuery): Promise<readonly string[] | Unavailable> {
    return publicIdentityList(query, this.#patient);
  }

  /** Rows are whole each; without `partial` what was written is removed again when a row is refused. */
  import(records: readonly SubscriberRecord[], options: ImportOptions): Promise<ImportResult> {
    return this.#import.run(records, options);
  }

  flush(): void {}

  close(): Promise<void> {
    return this.#close();
  }

  async #byPrivate(impi: string, session: Cql): Promise<Found> {
    const view = (stored: Stored): Subscriber | undefined => asPrivate(stored, impi);
    const found = await this.#viewIn(impi, view, session);
    return found === undefined ? this.#named(privateName(impi), view, session) : found;
  }

  /** By a name other than that of a row; claims and what is remembered may be of yesterday, so the row has the last word. */
  async #named(
    name: string,
    view: (stored: Stored) => Subscriber | undefined,
    session = this.#cql,
  ): Promise<Found> {
    const remembered = this.#cache.owner(name);
    if (remembered !== undefined) {
      const found = await this.#viewIn(remembered, view, session);
      if (found !== undefined) return found;
      this.#cache.deleteOwner(name);
    }
    const rows = await session.read(cql.identityClaims.select, [name]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const owner = rows[0] && text(rows[0], "impi");
    const found = owner === undefined ? undefined : await this.#viewIn(owner, view, session);
    if (owner !== undefined && found !== undefined) this.#cache.setOwner(name, owner);
    return found;
  }

  async #viewIn(
    key: string,
    view: (stored: Stored) => Subscriber | undefined,
    session = this.#cql,
  ): Promise<Found> {
    const row = await this.#find(key, session);
    return row === undefined || row === UNAVAILABLE ? row : view(row);
  }

  async #find(key: string, session: Cql): Promise<StoredRow | undefined | Unavailable> {
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      const rows = await session.read(cql.selectState, [key]);
      if (rows === UNAVAILABLE) return UNAVAILABLE;
      const [row] = rows;
      const version = row && text(row, "record_version");
      if (row !== undefined && version === cached.version)
        return this.#seen(storedRow(cached.record, version, row));
      this.#cache.delete(key);
      if (version === undefined) return undefined;
    }
    const rows = await session.read(cql.selectSubscriber, [key]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const [row] = rows;
    const version = row && text(row, "record_version");
    // Without a version it is the first write of a subscriber in progress, or what one left.
    if (row === undefined || version === undefined) return undefined;
    const record = recordOf(row, this.#sealing);
    this.#cache.set(key, version, record);
    return this.#seen(storedRow(record, version, row));
  }

  /** Not of one with several parts: whose turn it is there is not told by one name. */
  #seen(row: StoredRow): StoredRow {
    if (row instanceof StoredSubscriber) this.#recent.set(row);
    else this.#recent.delete(row.key);
    return row;
  }
}
