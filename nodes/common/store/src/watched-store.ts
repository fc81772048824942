import type { Clock } from "@ims/runtime";
import type { GetResult, KvStore, PutResult } from "./kv-store.ts";

/** An operation that failed, or took long. */
export interface StoreTrouble {
  readonly operation: "get" | "put" | "delete";
  readonly table: string;
  readonly key: string;
  /** "unavailable", "contention", or how it ended although it was slow. */
  readonly outcome: GetResult["kind"] | PutResult["kind"] | "rejected";
  readonly ms: number;
}

export interface WatchedStoreOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Whatever takes longer is trouble. */
  readonly slowMs: number;
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** The same store; tells of operations that found it away, or waited long for it. */
export function watchedStore(store: KvStore, { clock, slowMs, onTrouble }: WatchedStoreOptions): KvStore {
  async function watch<Result extends GetResult | PutResult>(
    operation: StoreTrouble["operation"],
    table: string,
    key: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const began = clock.monotonic();
    let outcome: StoreTrouble["outcome"] = "rejected";
    try {
      const result = await work();
      outcome = result.kind;
      return result;
    } finally {
      const ms = clock.monotonic() - began;
      if (outcome === "unavailable" || outcome === "rejected" || ms > slowMs)
        onTrouble({ operation, table, key, outcome, ms });
    }
  }
  const { isSettled } = store;
  return {
    get: (table, key) => watch("get", table, key, () => store.get(table, key)),
    put: (table, key, value, options) =>
      watch("put", table, key, () => store.put(table, key, value, options)),
    delete: (table, key, options) => watch("delete", table, key, () => store.delete(table, key, options)),
    ...(isSettled === undefined ? {} : { isSettled: (table, key) => isSettled.call(store, table, key) }),
  };
}
