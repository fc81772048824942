import { randomUUID } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BackgroundCheckpoint, openDatabase } from "@ims/store";
import { isParkedKey, namesOf, PARKED, parkedKey, privateIdentitiesOf, privateName } from "./record-names.ts";
import type { Sealing } from "./sealing.ts";
import { asPrivate, firstOf, renamed, type Stored, stateAfterReplace } from "./stored.ts";
import type { Conflict, ListQuery, Page, PageQuery, SubscriberRecord } from "./subscriber-repository.ts";
import {
  decodeRegistration,
  decodeRow,
  encodeCredentials,
  encodeServices,
  type Row,
} from "./subscriber-row.ts";
import type { SubscriberTables } from "./subscriber-tables.ts";
import { Subscription } from "./subscription.ts";
import { decodeParts, encodeAllCredentials, encodeParts } from "./subscription-row.ts";
import { decodeState, encodeState, NO_STATE, pruned, type SubscriptionState } from "./subscription-state.ts";

type Written = { readonly kind: "written" } | Conflict;

const MIGRATIONS = [
  `CREATE TABLE subscriber (
  impi TEXT PRIMARY KEY,
  identities TEXT NOT NULL,
  credentials BLOB NOT NULL,
  services TEXT NOT NULL,
  sqn INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'notRegistered',
  pending INTEGER NOT NULL DEFAULT 0,
  server_name TEXT,
  origin_host TEXT,
  origin_realm TEXT
) WITHOUT ROWID, STRICT;
CREATE TABLE identity (
  canonical TEXT PRIMARY KEY,
  impi TEXT NOT NULL REFERENCES subscriber (impi) ON DELETE CASCADE,
  wildcard INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX identity_impi ON identity (impi);
CREATE INDEX identity_wildcard ON identity (wildcard) WHERE wildcard = 1;`,
  // Subscriptions with several private identities, sets or profiles: what they are made of, and its state.
  `ALTER TABLE subscriber ADD COLUMN parts TEXT;
ALTER TABLE subscriber ADD COLUMN states TEXT;`,
];

/** Subscribers in an SQLite file; ":memory:" for none. Throws StoreError when it cannot be used. */
export class SqliteTables implements SubscriberTables {
  readonly #database: DatabaseSync;
  readonly #checkpoint: BackgroundCheckpoint | undefined;
  readonly #sealing: Sealing;
  readonly #find: StatementSync;
  readonly #owner: StatementSync;
  readonly #saveState: StatementSync;
  readonly #saveStates: StatementSync;

  constructor(file: string, sealing: Sealing) {
    this.#sealing = sealing;
    this.#database = openDatabase(file, { migrations: MIGRATIONS });
    this.#checkpoint = file === ":memory:" ? undefined : new BackgroundCheckpoint(this.#database, file);
    this.#find = this.#database.prepare("SELECT * FROM subscriber WHERE impi = ?");
    this.#owner = this.#database.prepare("SELECT impi FROM identity WHERE canonical = ?");
    this.#saveState = this.#database.prepare(
      "UPDATE subscriber SET sqn = ?, state = ?, pending = ?, server_name = ?, origin_host = ?, origin_realm = ? WHERE impi = ?",
    );
    this.#saveStates = this.#database.prepare(
      "UPDATE subscriber SET states = ?, server_name = ?, origin_host = ?, origin_realm = ? WHERE impi = ? AND parts IS NOT NULL",
    );
  }

  find(key: string): Stored | undefined {
    const row = this.#find.get(key) as Row | undefined;
    return row && this.#decode(row);
  }

  ownerOf(name: string): string | undefined {
    const row = this.#owner.get(name) as { impi: string } | undefined;
    return row?.impi;
  }

  wildcards(): readonly { text: string; impi: string }[] {
    const rows = this.#database.prepare("SELECT canonical, impi FROM identity WHERE wildcard = 1").all();
    return (rows as { canonical: string; impi: string }[]).map(({ canonical, impi }) => ({
      text: canonical,
      impi,
    }));
  }

  insert(given: SubscriberRecord): Written {
    return this.#transaction(() => {
      const conflict = this.#conflictOf(given, undefined);
      if (conflict !== undefined) return { keep: false, value: conflict };
      const existing = this.find(given.impi);
      if (existing !== undefined && isParkedKey(given.impi))
        return { keep: false, value: { kind: "conflict", identity: given.impi, owner: given.impi } };
      // A row that is still named by a private identity that it has lost.
      const record = existing === undefined ? given : renamed(given, randomUUID());
      this.#database
        .prepare(
          "INSERT INTO subscriber (impi, identities, credentials, services, parts, sqn) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .run(record.impi, ...this.#columns(record), record.sqn ?? 0);
      if (record.parts !== undefined) this.#writeState(record.impi, pruned(NO_STATE, record.parts));
      const value = this.#writeNames(record);
      return { keep: value.kind === "written", value };
    });
  }

  replace(record: SubscriberRecord): Written | { readonly kind: "notFound" } {
    return this.#transaction<Written | { readonly kind: "notFound" }>(() => {
      const before = this.find(record.impi);
      if (before === undefined) return { keep: false, value: { kind: "notFound" } };
      const conflict = this.#conflictOf(record, record.impi);
      if (conflict !== undefined) return { keep: false, value: conflict };
      this.#database
        .prepare(
          "UPDATE subscriber SET identities = ?, credentials = ?, services = ?, parts = ?, sqn = coalesce(?, sqn) WHERE impi = ?",
        )
        .run(...this.#columns(record), record.sqn ?? null, record.impi);
      if (record.parts !== undefined) this.#writeState(record.impi, stateAfterReplace(before, record.parts));
      this.#database.prepare("DELETE FROM identity WHERE impi = ?").run(record.impi);
      const value = this.#writeNames(record);
      return { keep: value.kind === "written", value };
    });
  }

  remove(impi: string): boolean {
    return this.#database.prepare("DELETE FROM subscriber WHERE impi = ?").run(impi).changes !== 0;
  }

  page(query: PageQuery): Page {
    // Any text is matched literally: LIKE's own signs are escaped.
    const like = query.search === undefined ? "%" : `%${query.search.replace(/[\\%_]/g, "\\$&")}%`;
    const rows = this.#database
      .prepare(
        `SELECT * FROM subscriber WHERE impi > ?1 AND substr(impi, 1, ${PARKED.length}) <> '${PARKED}' AND (impi LIKE ?2 ESCAPE '\\' OR EXISTS
         (SELECT 1 FROM identity WHERE identity.impi = subscriber.impi AND canonical LIKE ?2 ESCAPE '\\'))
         ORDER BY impi LIMIT ?3`,
      )
      .all(query.after, like, query.limit + 1) as Row[];
    const listed = rows.slice(0, query.limit);
    const subscribers = listed.flatMap((row) => firstOf(this.#decode(row)) ?? []);
    return { subscribers, next: rows.length > query.limit ? listed.at(-1)?.impi : undefined };
  }

  /** In order. Names of other things come before those of public identities. */
  publicIdentities({ chunk, of, limit }: ListQuery): readonly string[] {
    const { n } = this.#database
      .prepare("SELECT count(*) AS n FROM identity WHERE canonical >= 'sip'")
      .get() as {
      n: number;
    };
    const [start, end] = [Math.floor((chunk * n) / of), Math.floor(((chunk + 1) * n) / of)];
    const rows = this.#database
      .prepare("SELECT canonical FROM identity WHERE canonical >= 'sip' ORDER BY canonical LIMIT ? OFFSET ?")
      .all(Math.min(end - start, limit), start) as { canonical: string }[];
    return rows.map(({ canonical }) => canonical);
  }

  saveStates(states: Iterable<Stored>): void {
    this.#transaction(() => {
      for (const stored of states) {
        if (stored instanceof Subscription) {
          this.#writeState(stored.key, stored.state);
          continue;
        }
        const { impi, sqn, registration: it } = stored;
        this.#saveState.run(
          sqn,
          it.state,
          it.authenticationPending ? 1 : 0,
          it.serverName ?? null,
          it.originHost ?? null,
          it.originRealm ?? null,
          impi,
        );
      }
      return { keep: true, value: undefined };
    });
  }

  begin(): { end(keep: boolean): void } {
    // Savepoints nest, so an import is one transaction around many. The outermost has the write lock from the first: who reads before it
    // writes is not made to wait for it, but fails.
    if (!this.#database.isTransaction) {
      this.#database.exec("BEGIN IMMEDIATE");
      return { end: (keep) => this.#database.exec(keep ? "COMMIT" : "ROLLBACK") };
    }
    this.#database.exec("SAVEPOINT work");
    return { end: (keep) => this.#database.exec(keep ? "RELEASE work" : "ROLLBACK TO work; RELEASE work") };
  }

  #transaction<T>(work: () => { readonly keep: boolean; readonly value: T }): T {
    const transaction = this.begin();
    let keep = false;
    try {
      const result = work();
      keep = result.keep;
      return result.value;
    } finally {
      transaction.end(keep);
    }
  }

  /** 0 once closed. */
  count(): number {
    if (!this.#database.isOpen) return 0;
    const row = this.#database.prepare("SELECT count(*) AS n FROM subscriber").get() as { n: number };
    return row.n;
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    await this.#checkpoint?.close();
  }

  #decode(row: Row): Stored {
    const { parts, states } = row;
    if (parts === null) return decodeRow(row, this.#sealing);
    const { serverName, originHost, originRealm } = decodeRegistration(row, false);
    const server = serverName === undefined ? undefined : { serverName, originHost, originRealm };
    const state = states === null ? NO_STATE : decodeState(states, server);
    return new Subscription(decodeParts({ ...row, parts }, this.#sealing), state);
  }

  #writeState(key: string, state: SubscriptionState): void {
    const { serverName, originHost, originRealm } = state.server ?? NO_SERVER;
    this.#saveStates.run(
      encodeState(state),
      serverName ?? null,
      originHost ?? null,
      originRealm ?? null,
      key,
    );
  }

  #columns(record: SubscriberRecord): [string, Uint8Array, string, string | null] {
    const { parts } = record;
    const credentials =
      parts === undefined ? encodeCredentials(record.credentials) : encodeAllCredentials(parts);
    return [
      JSON.stringify(record.identities.map(({ impu, barred }) => ({ impu, barred }))),
      this.#sealing.seal(credentials, record.impi),
      parts === undefined ? encodeServices(record.services) : "",
      parts === undefined ? null : encodeParts(parts),
    ];
  }

  /** A private identity of a record that a row other than `own` has. */
  #conflictOf(record: SubscriberRecord, own: string | undefined): Conflict | undefined {
    for (const impi of privateIdentitiesOf(record)) {
      if (record.impi === parkedKey(impi)) continue;
      const holder = asPrivate(this.find(impi), impi) === undefined ? this.ownerOf(privateName(impi)) : impi;
      if (holder !== undefined && holder !== own) return { kind: "conflict", identity: impi, owner: holder };
    }
    return undefined;
  }

  #writeNames(record: SubscriberRecord): Written {
    const statement = this.#database.prepare(
      "INSERT INTO identity (canonical, impi, wildcard) VALUES (?, ?, ?)",
    );
    for (const { canonical, wildcard } of namesOf(record)) {
      const owner = this.ownerOf(canonical);
      if (owner !== undefined) return { kind: "conflict", identity: canonical, owner };
      statement.run(canonical, record.impi, wildcard ? 1 : 0);
    }
    return { kind: "written" };
  }
}

const NO_SERVER = { serverName: undefined, originHost: undefined, originRealm: undefined };
