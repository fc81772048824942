import { randomUUID } from "node:crypto";
import { matchesWildcard } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import {
  type Found,
  type Lookups,
  type Saved,
  type StateChange,
  UNAVAILABLE,
  type Unavailable,
} from "../hss.ts";
import type { Sealing } from "../sealing.ts";
import { identityOf, type Subscriber } from "../subscriber.ts";
import type {
  ImportOptions,
  ImportResult,
  Page,
  PageQuery,
  RemoveResult,
  SubscriberRecord,
  SubscriberRepository,
  WriteResult,
} from "../subscriber-repository.ts";
import { BulkImport } from "./bulk-import.ts";
import { type Cql, text } from "./cql.ts";
import { Provisioning } from "./provisioning.ts";
import { RecentReads } from "./recent-reads.ts";
import { RecordCache } from "./record-cache.ts";
import * as cql from "./statements.ts";
import { recordOf, StoredSubscriber, sqnText, stateOf } from "./stored-subscriber.ts";
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
    const find = (impi: string) => this.#find(impi, this.#patient);
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

  byPrivateIdentity(impi: string): Promise<StoredSubscriber | undefined | Unavailable> {
    return this.#find(impi, this.#cql);
  }

  async byPublicIdentity(canonical: string): Promise<Found> {
    const remembered = this.#cache.owner(canonical);
    if (remembered !== undefined) {
      const found = await this.#ownerIf(remembered, canonical);
      if (found !== undefined) return found;
      this.#cache.deleteOwner(canonical);
    }
    const rows = await this.#cql.read(cql.identityClaims.select, [canonical]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const owner = rows[0] && text(rows[0], "impi");
    if (owner !== undefined) {
      const found = await this.#ownerIf(owner, canonical);
      if (found !== undefined) {
        this.#cache.setOwner(canonical, owner);
        return found;
      }
    }
    const covering = await this.#wildcards.ownersOf(canonical);
    if (covering === UNAVAILABLE) return UNAVAILABLE;
    for (const impi of covering) {
      const found = await this.#ownerIf(impi, canonical);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** "overtaken" when the record or the registration was changed since the subscriber was read. */
  async save(subscriber: Subscriber, change: StateChange): Promise<Saved> {
    const before = stored(subscriber);
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

  inTurn<T>(name: string, work: () => T | Promise<T>): Promise<T | Unavailable> {
    return this.#turns.take(name, work);
  }

  async insert(record: SubscriberRecord): Promise<WriteResult> {
    let result: WriteResult = { kind: "overtaken" };
    for (let attempt = 0; attempt < INSERTS && result.kind === "overtaken"; attempt++)
      result = await this.#provisioning.insert(record);
    this.#wildcards.changed();
    return result;
  }

  async replace(before: Subscriber, record: SubscriberRecord): Promise<WriteResult> {
    const result = await this.#provisioning.replace(stored(before), record);
    this.#wildcards.changed();
    return result;
  }

  async remove(before: Subscriber): Promise<RemoveResult> {
    const result = await this.#provisioning.remove(stored(before));
    this.#wildcards.changed();
    return result;
  }

  /** In the order in which Cassandra keeps them; each page by private identity. */
  page(query: PageQuery): Promise<Page | Unavailable> {
    return subscriberPage(query, this.#patient, this.#sealing);
  }

  /** Rows are whole each; without `partial` what was written is removed again when a row is refused. */
  import(records: readonly SubscriberRecord[], options: ImportOptions): Promise<ImportResult> {
    return this.#import.run(records, options);
  }

  flush(): void {}

  close(): Promise<void> {
    return this.#close();
  }

  async #find(impi: string, session: Cql): Promise<StoredSubscriber | undefined | Unavailable> {
    const cached = this.#cache.get(impi);
    if (cached !== undefined) {
      const rows = await session.read(cql.selectState, [impi]);
      if (rows === UNAVAILABLE) return UNAVAILABLE;
      const [row] = rows;
      const version = row && text(row, "record_version");
      if (row !== undefined && version === cached.version)
        return this.#seen(new StoredSubscriber(cached.record, version, stateOf(row)));
      this.#cache.delete(impi);
      if (version === undefined) return undefined;
    }
    const rows = await session.read(cql.selectSubscriber, [impi]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const [row] = rows;
    const version = row && text(row, "record_version");
    // Without a version it is the first write of a subscriber in progress, or what one left.
    if (row === undefined || version === undefined) return undefined;
    const record = recordOf(row, this.#sealing);
    this.#cache.set(impi, version, record);
    return this.#seen(new StoredSubscriber(record, version, stateOf(row)));
  }

  #seen(subscriber: StoredSubscriber): StoredSubscriber {
    this.#recent.set(subscriber);
    return subscriber;
  }

  /** The subscriber, when it has the identity: claims and what is remembered may be of yesterday. */
  async #ownerIf(impi: string, canonical: string): Promise<Found> {
    const found = await this.byPrivateIdentity(impi);
    if (found === undefined || found === UNAVAILABLE) return found;
    return identityOf(found, canonical, matchesWildcard) === undefined ? undefined : found;
  }
}

function stored(subscriber: Subscriber): StoredSubscriber {
  if (subscriber instanceof StoredSubscriber) return subscriber;
  throw new TypeError("a subscriber of another repository");
}
