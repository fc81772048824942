import type { Version } from "@ims/store";
import type { Moved } from "./moved-sets.ts";
import type { Registration } from "./registration.ts";
import type { WriteMeta } from "./registration-codec.ts";
import type { WorkingWrite } from "./working-copy.ts";

/** What is known beside a set. */
export type Known = Pick<WriteMeta, "removed">;

/** What there is to read about an identity. */
export type LookResult =
  | { readonly kind: "found"; readonly registration: Registration; readonly meta?: Known }
  | { readonly kind: "alias"; readonly of: string }
  | { readonly kind: "notFound"; readonly meta?: Known }
  | NotAvailable;

/**
 * It cannot be said or written. `unknown`: only the durable rows are away and may be done without; whoever registers now is taken
 * for new. `newer`: a later release has written it. `elsewhere`: it may be this member alone that does not reach the stores.
 */
export interface NotAvailable {
  readonly kind: "unavailable";
  readonly unknown?: true;
  readonly newer?: true;
  readonly elsewhere?: true;
}

/** What is known of a set and how it may be written. */
export type Current =
  | {
      readonly kind: "known";
      readonly registration: Registration | undefined;
      readonly meta: WriteMeta;
      /** "direct": past the working copy, which does not answer. */
      readonly version: Version | "absent" | "direct";
    }
  | NotAvailable;

/** Where the copies of a set are; a driver of the registration store. */
export interface Copies {
  /** `certain`: see RegistrationStore.findWhole. */
  look(key: string, certain?: boolean): Promise<LookResult>;
  /** A set is at the other site now. */
  moved(moved: Moved): Promise<void>;
  current(key: string): Promise<Current>;
  write(
    key: string,
    wanted: Registration | "remove",
    current: Current & { kind: "known" },
  ): Promise<WorkingWrite>;
  /** Whether there is a durable copy. */
  readonly durable: boolean;
  /** Keys of the sets of an IMPI that are written down. */
  setsOf(impi: string): Promise<readonly string[]>;
  /** See RegistrationStore. */
  confirm(key: string): Promise<"stored" | "unavailable">;
  /** Sets whose copies differ because a store is or was away. */
  readonly waiting: number;
  readonly problems: StoreProblems;
  stop(): void;
}

/** What is wrong with the stores, for the operator. */
export interface StoreProblems {
  /** The working copy did not answer the last time. */
  readonly working: boolean;
  /** Why the durable copy failed the last time. */
  readonly durable: string | undefined;
  /** The stores of the other site do not answer. */
  readonly otherSite: boolean;
}

/** What the store counts beside the requests. */
export interface RegistrationStoreCounters {
  /**
   * rebuilt: from the durable rows; direct: written without a working copy; deferred: acknowledged before it was durable;
   * refused: not acknowledged because it could not be; settled: made durable later; dropped: no room to remember that.
   */
  copy(outcome: "rebuilt" | "direct" | "deferred" | "refused" | "settled" | "dropped"): void;
  /** A value that cannot be used stands in the working copy. */
  bad(kind: "newer" | "unreadable"): void;
}

export const UNAVAILABLE: NotAvailable = { kind: "unavailable" };
/** It was reached, and says nothing that can be used. */
export const UNREADABLE: NotAvailable = { kind: "unavailable" };
export const NEWER: NotAvailable = { kind: "unavailable", newer: true };
export const NOT_FOUND = { kind: "notFound" } as const;
