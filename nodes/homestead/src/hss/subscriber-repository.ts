import type { Credentials, Registration, ServiceData, Subscriber } from "./subscriber.ts";

/** A subscriber as it is written. */
export type SubscriberRecord = {
  readonly impi: string;
  readonly identities: readonly { readonly impu: string; readonly barred: boolean }[];
  readonly credentials: Credentials;
  readonly services: ServiceData;
  readonly sqn: number;
};

export type WriteResult =
  | { readonly kind: "written" }
  | { readonly kind: "conflict"; readonly identity: string; readonly owner: string }
  | { readonly kind: "notFound" };

export type Page = { readonly subscribers: readonly Subscriber[]; readonly next: string | undefined };

/** Where subscribers are kept. Every method is one transaction. */
export interface SubscriberRepository {
  find(impi: string): Subscriber | undefined;
  /** The private identity that a canonical public identity belongs to, exactly. */
  ownerOf(canonical: string): string | undefined;
  /** All wildcarded identities: text and owner. */
  wildcards(): readonly { readonly text: string; readonly impi: string }[];
  insert(record: SubscriberRecord): WriteResult;
  /** Replaces identities, credentials and services; the registration stays. */
  replace(record: SubscriberRecord): WriteResult;
  remove(impi: string): boolean;
  /** By private identity; `search` is a part of one of its identities. */
  page(query: { readonly after: string; readonly limit: number; readonly search: string | undefined }): Page;
  /** Registrations and SQNs. */
  saveStates(
    states: readonly { readonly impi: string; readonly sqn: number; readonly registration: Registration }[],
  ): void;
  /** Begins a transaction around the writes that follow, until its end. */
  begin(): { end(keep: boolean): void };
  count(): number;
  close(): void;
}
