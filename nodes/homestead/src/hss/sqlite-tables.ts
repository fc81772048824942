import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openDatabase } from "@ims/store";
import { identityKey } from "./identity-key.ts";
import type { Sealing } from "./sealing.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Conflict, Page, PageQuery, SubscriberRecord } from "./subscriber-repository.ts";
import { decodeRow, encodeCredentials, encodeServices, type Row } from "./subscriber-row.ts";
import type { SubscriberTables } from "./subscriber-tables.ts";

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
];

/** Subscribers in an SQLite file; ":memory:" for none. Throws StoreError when it cannot be used. */
export class SqliteTables implements SubscriberTables {
  readonly #database: DatabaseSync;
  readonly #sealing: Sealing;
  readonly #find: StatementSync;
  readonly #owner: StatementSync;
  readonly #saveState: StatementSync;

  constructor(file: string, sealing: Sealing) {
    this.#sealing = sealing;
    this.#database = openDatabase(file, { migrations: MIGRATIONS });
    this.#find = this.#database.prepare("SELECT * FROM subscriber WHERE impi = ?");
    this.#owner = this.#database.prepare("SELECT impi FROM identity WHERE canonical = ?");
    this.#saveState = this.#database.prepare(
      "UPDATE subscriber SET sqn = ?, state = ?, pending = ?, server_name = ?, origin_host = ?, origin_realm = ? WHERE impi = ?",
    );
  }

  find(impi: string): Subscriber | undefined {
    const row = this.#find.get(impi) as Row | undefined;
    return row && decodeRow(row, this.#sealing);
  }

  ownerOf(canonical: string): string | undefined {
    const row = this.#owner.get(canonical) as { impi: string } | undefined;
    return row?.impi;
  }

  wildcards(): readonly { text: string; impi: string }[] {
    const rows = this.#database.prepare("SELECT canonical, impi FROM identity WHERE wildcard = 1").all();
    return (rows as { canonical: string; impi: string }[]).map(({ canonical, impi }) => ({
      text: canonical,
      impi,
    }));
  }

  insert(record: SubscriberRecord): Written {
    return this.#transaction(() => {
      if (this.#find.get(record.impi) !== undefined) {
        return { keep: false, value: { kind: "conflict", identity: record.impi, owner: record.impi } };
      }
      this.#database
        .prepare(
          "INSERT INTO subscriber (impi, identities, credentials, services, sqn) VALUES (?, ?, ?, ?, ?)",
        )
        .run(record.impi, ...this.#columns(record), record.sqn ?? 0);
      const value = this.#writeIdentities(record);
      return { keep: value.kind === "written", value };
    });
  }

  replace(record: SubscriberRecord): Written | { readonly kind: "notFound" } {
    return this.#transaction<Written | { readonly kind: "notFound" }>(() => {
      const { changes } = this.#database
        .prepare(
          "UPDATE subscriber SET identities = ?, credentials = ?, services = ?, sqn = coalesce(?, sqn) WHERE impi = ?",
        )
        .run(...this.#columns(record), record.sqn ?? null, record.impi);
      if (changes === 0) return { keep: false, value: { kind: "notFound" } };
      this.#database.prepare("DELETE FROM identity WHERE impi = ?").run(record.impi);
      const value = this.#writeIdentities(record);
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
        `SELECT * FROM subscriber WHERE impi > ?1 AND (impi LIKE ?2 ESCAPE '\\' OR EXISTS
         (SELECT 1 FROM identity WHERE identity.impi = subscriber.impi AND canonical LIKE ?2 ESCAPE '\\'))
         ORDER BY impi LIMIT ?3`,
      )
      .all(query.after, like, query.limit + 1) as Row[];
    const subscribers = rows.slice(0, query.limit).map((row) => decodeRow(row, this.#sealing));
    return { subscribers, next: rows.length > query.limit ? subscribers.at(-1)?.impi : undefined };
  }

  saveStates(states: Iterable<Pick<Subscriber, "impi" | "sqn" | "registration">>): void {
    this.#transaction(() => {
      for (const { impi, sqn, registration: it } of states) {
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
    // Savepoints nest, so an import is one transaction around many.
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

  count(): number {
    const row = this.#database.prepare("SELECT count(*) AS n FROM subscriber").get() as { n: number };
    return row.n;
  }

  close(): void {
    this.#database.close();
  }

  #columns(record: SubscriberRecord): [string, Uint8Array, string] {
    return [
      JSON.stringify(record.identities),
      this.#sealing.seal(encodeCredentials(record.credentials), record.impi),
      encodeServices(record.services),
    ];
  }

  #writeIdentities(record: SubscriberRecord): Written {
    const statement = this.#database.prepare(
      "INSERT INTO identity (canonical, impi, wildcard) VALUES (?, ?, ?)",
    );
    for (const { impu } of record.identities) {
      const key = identityKey(impu);
      if (key === undefined) throw new TypeError("an identity that was not checked");
      const owner = this.ownerOf(key.canonical);
      if (owner !== undefined) return { kind: "conflict", identity: key.canonical, owner };
      statement.run(key.canonical, record.impi, key.wildcard ? 1 : 0);
    }
    return { kind: "written" };
  }
}
