import type { DeleteOptions, KvStore, PutOptions } from "./kv-store.ts";

/**
 * Tables of its own in a store that others use as well: with conditions that are decided per site, two sites must not write one entry.
 * `scope` "": the store itself.
 */
export function scopedStore(store: KvStore, scope: string): KvStore {
  if (scope === "") return store;
  const named = (table: string): string => `${table}@${scope}`;
  return {
    get: (table, key) => store.get(named(table), key),
    put: (table, key, value, options: PutOptions) => store.put(named(table), key, value, options),
    delete: (table, key, options?: DeleteOptions) => store.delete(named(table), key, options),
    isSettled: (table, key) => store.isSettled?.(named(table), key) ?? true,
  };
}
