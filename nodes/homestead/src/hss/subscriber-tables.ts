import type { Subscriber } from "./subscriber.ts";
import type { Conflict, Page, PageQuery, SubscriberRecord } from "./subscriber-repository.ts";

/** What the embedded repository needs of a database file: everything at once, each call a transaction. */
export interface SubscriberTables {
  find(impi: string): Subscriber | undefined;
  /** The private identity that a canonical public identity belongs to, exactly. */
  ownerOf(canonical: string): string | undefined;
  /** All wildcarded identities: text and owner. */
  wildcards(): readonly { readonly text: string; readonly impi: string }[];
  insert(record: SubscriberRecord): { readonly kind: "written" } | Conflict;
  /** Replaces identities, credentials and services; the registration stays. */
  replace(record: SubscriberRecord): { readonly kind: "written" } | { readonly kind: "notFound" } | Conflict;
  remove(impi: string): boolean;
  /** By private identity; `search` is a part of one of its identities. */
  page(query: PageQuery): Page;
  /** Registrations and SQNs. */
  saveStates(states: Iterable<Pick<Subscriber, "impi" | "sqn" | "registration">>): void;
  /** Begins a transaction around the writes that follow, until its end. */
  begin(): { end(keep: boolean): void };
  count(): number;
  close(): void;
}
