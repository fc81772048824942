declare const versionBrand: unique symbol;

/** Names one write of one key. Opaque: compare it through `ifVersion` only; two writes never share one. */
export type Version = number & { readonly [versionBrand]: true };

/** For drivers: the version numbered `n`. */
export function asVersion(n: number): Version {
  return n as Version;
}

export type GetResult =
  | { readonly kind: "found"; readonly value: Uint8Array; readonly version: Version }
  | { readonly kind: "notFound" }
  | { readonly kind: "unavailable"; readonly cause: Error };

export type PutResult =
  | { readonly kind: "stored" }
  | { readonly kind: "contention" }
  | { readonly kind: "unavailable"; readonly cause: Error };

export interface PutOptions {
  /** The version read before, or "absent" for a key that must not exist. Anything else in the store is contention. */
  readonly ifVersion: Version | "absent";
  /** Greater than 0; the entry is gone no later than a second after. */
  readonly ttlSeconds: number;
}

export interface DeleteOptions {
  /** Without it the delete is unconditional and an absent key counts as deleted. */
  readonly ifVersion?: Version;
}

/** Largest value of an entry. */
export const MAX_VALUE_BYTES = 65_536;

/**
 * Shared state by table and key, every write guarded by a version and bounded by a lifetime.
 * Values are bytes; what they mean belongs to the repository above. Values handed in and out are copies.
 * Rejects with StoreError only for a broken rule (value too large, lifetime not positive).
 */
export interface KvStore {
  get(table: string, key: string): Promise<GetResult>;
  put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult>;
  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult>;
  /**
   * Whether every member of the pool can be expected to find what is put there now, and to see what others have put there. False while servers
   * come back, which members see at different moments and some of them empty or old. Absent: always.
   */
  isSettled?(table: string, key: string): boolean;
}
