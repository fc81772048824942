import type { Stored } from "./stored.ts";
import type { Conflict, ListQuery, Page, PageQuery, SubscriberRecord } from "./subscriber-repository.ts";

/** What the embedded repository needs of a database file: everything at once, each call a transaction. */
export interface SubscriberTables {
  /** By the name of a row. */
  find(key: string): Stored | undefined;
  /** The row that a name belongs to (record-names.ts), exactly. */
  ownerOf(name: string): string | undefined;
  /** All wildcarded identities: text and owner. */
  wildcards(): readonly { readonly text: string; readonly impi: string }[];
  insert(record: SubscriberRecord): { readonly kind: "written" } | Conflict;
  /** Replaces identities, credentials and services; the registration stays, as far as it is of something that stays. */
  replace(record: SubscriberRecord): { readonly kind: "written" } | { readonly kind: "notFound" } | Conflict;
  remove(impi: string): boolean;
  /** By private identity; `search` is a part of one of its identities. */
  page(query: PageQuery): Page;
  publicIdentities(query: ListQuery): readonly string[];
  /** Registrations and SQNs. */
  saveStates(states: Iterable<Stored>): void;
  /** Begins a transaction around the writes that follow, until its end. */
  begin(): { end(keep: boolean): void };
  count(): number;
  close(): Promise<void>;
}
