import type { KvStore } from "./kv-store.ts";

/** What a change makes of an entry. */
export type Change =
  | { readonly kind: "put"; readonly value: Uint8Array; readonly ttlSeconds: number }
  | { readonly kind: "delete" }
  | { readonly kind: "keep" };

export type UpdateResult =
  | { readonly kind: "stored"; readonly value: Uint8Array }
  | { readonly kind: "deleted" }
  | { readonly kind: "kept" }
  /** Others were faster every time; nothing was written. */
  | { readonly kind: "contention"; readonly attempts: number }
  | { readonly kind: "unavailable"; readonly cause: Error };

export interface UpdateOptions {
  /** Reads before giving up. */
  readonly attempts?: number;
}

/** Each lost round means that another writer won it: ten in a row is a storm, and the caller had better shed the request. */
const ATTEMPTS = 10;

/**
 * Reads an entry, lets `change` decide, writes under the version read, and starts again when somebody else wrote meanwhile.
 * `change` gets undefined for an absent entry; it may run several times and must have no effects of its own.
 */
export async function update(
  store: KvStore,
  table: string,
  key: string,
  change: (current: Uint8Array | undefined) => Change,
  { attempts = ATTEMPTS }: UpdateOptions = {},
): Promise<UpdateResult> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const read = await store.get(table, key);
    if (read.kind === "unavailable") return read;
    const found = read.kind === "found" ? read : undefined;
    const next = change(found?.value);
    if (next.kind === "keep" || (next.kind === "delete" && found === undefined)) return { kind: "kept" };
    const written =
      next.kind === "put"
        ? await store.put(table, key, next.value, {
            ifVersion: found?.version ?? "absent",
            ttlSeconds: next.ttlSeconds,
          })
        : await store.delete(table, key, found === undefined ? {} : { ifVersion: found.version });
    if (written.kind === "unavailable") return written;
    if (written.kind === "stored")
      return next.kind === "put" ? { kind: "stored", value: next.value } : { kind: "deleted" };
  }
  return { kind: "contention", attempts };
}
