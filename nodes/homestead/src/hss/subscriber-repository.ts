import type { Eventually, Found, Hss, Unavailable } from "./hss.ts";
import type { Credentials, ServiceData, Subscriber } from "./subscriber.ts";

/** What a subscription with several private identities, sets or profiles is written of. */
export type SubscriptionRecord = {
  readonly privateIdentities: readonly {
    readonly impi: string;
    readonly credentials: Credentials;
    /** Ids of the sets it may register. */
    readonly sets: readonly string[];
    /** As below. */
    readonly sqn?: number | undefined;
  }[];
  readonly sets: readonly {
    readonly id: string;
    readonly profiles: readonly {
      readonly id: string;
      readonly identities: SubscriberRecord["identities"];
      readonly services: ServiceData;
    }[];
  }[];
};

/** A subscriber as it is written. */
export type SubscriberRecord = {
  /** The name of its row. */
  readonly impi: string;
  readonly identities: readonly { readonly impu: string; readonly barred: boolean }[];
  readonly credentials: Credentials;
  readonly services: ServiceData;
  /** Undefined: it stays what it is, 0 at first. */
  readonly sqn: number | undefined;
  /** Then `identities` are all there are in it, and credentials, services and SQN above stand for nothing. */
  readonly parts?: SubscriptionRecord | undefined;
};

/** `identity` is in use by `owner`; both the same: the private identity itself exists already. */
export type Conflict = { readonly kind: "conflict"; readonly identity: string; readonly owner: string };

export type WriteResult =
  | { readonly kind: "written" }
  | Conflict
  | { readonly kind: "notFound" }
  /** It was changed since it was read. */
  | { readonly kind: "overtaken" }
  | { readonly kind: "unavailable" };

export type RemoveResult = Exclude<WriteResult, Conflict>;

export type PageQuery = {
  /** `next` of the page before; empty for the first. */
  readonly after: string;
  readonly limit: number;
  /** A part of one of its identities. */
  readonly search: string | undefined;
};

/** The part number `chunk` (from 0) of `of` parts of about the same size. What others add meanwhile may be in none, or in two. */
export type ListQuery = { readonly chunk: number; readonly of: number; readonly limit: number };

/** A page may be short and still have a next one: a search looks at a bounded number of subscribers. */
export type Page = { readonly subscribers: readonly Subscriber[]; readonly next: string | undefined };

export type ImportOptions = {
  /** Judge every row, write none. */
  readonly dryRun: boolean;
  /** Keep the good rows when others are wrong. */
  readonly partial: boolean;
};

/** A row that was not written: by its index, and why. */
export type RowFault = { readonly index: number; readonly fault: Conflict | Unavailable };

export type ImportResult = { readonly applied: number; readonly faults: readonly RowFault[] };

/**
 * Where subscribers are kept. A write is whole or it is not there, whoever else writes at the same time and wherever the
 * process dies; an identity belongs to one subscriber at most.
 */
export interface SubscriberRepository extends Hss {
  insert(record: SubscriberRecord): Eventually<WriteResult>;
  /** Replaces identities, credentials and services of a subscriber given out before; the registration stays. */
  replace(before: Subscriber, record: SubscriberRecord): Eventually<WriteResult>;
  /** Removes a subscriber given out before, with its registration. */
  remove(before: Subscriber): Eventually<RemoveResult>;
  /** By the id of one of its implicit registration sets, where that was given one: on behalf of all that may register it. */
  bySet(id: string): Eventually<Found>;
  /** A private identity that was put by until it is a part of a subscription; Cx does not know of it. */
  parked(impi: string): Eventually<Found>;
  /** By private identity; of a subscription with several the first. What is put by is not listed. */
  page(query: PageQuery): Eventually<Page | Unavailable>;
  /** Canonical public identities, one part of them: see ListQuery. */
  publicIdentities(query: ListQuery): Eventually<readonly string[] | Unavailable>;
  /** Rows in order: of two that claim one identity the first gets it. */
  import(records: readonly SubscriberRecord[], options: ImportOptions): Promise<ImportResult>;
  /** Resolves when everything said to be saved is. */
  flush(): Eventually<void>;
  close(): Eventually<void>;
}
