import type { Clock } from "@ims/runtime";
import type { DeleteOptions, GetResult, KvStore, PutOptions, PutResult } from "./kv-store.ts";

/** Told of every operation: what it was, how it ended, how long it took, ms. */
export type OperationObserver = (
  operation: "get" | "put" | "delete",
  outcome: GetResult["kind"] | PutResult["kind"],
  ms: number,
) => void;

/** Watches the operations of a store from outside; callers get the store's own promises. */
export class TimedStore implements KvStore {
  readonly #store: KvStore;
  readonly #clock: Clock;
  readonly #observe: OperationObserver;

  constructor(store: KvStore, clock: Clock, observe: OperationObserver) {
    this.#store = store;
    this.#clock = clock;
    this.#observe = observe;
  }

  get(table: string, key: string): Promise<GetResult> {
    return this.#timed("get", () => this.#store.get(table, key));
  }

  put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    return this.#timed("put", () => this.#store.put(table, key, value, options));
  }

  delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    return this.#timed("delete", () => this.#store.delete(table, key, options));
  }

  isSettled(table: string, key: string): boolean {
    return this.#store.isSettled?.(table, key) ?? true;
  }

  #timed<R extends GetResult | PutResult>(
    operation: "get" | "put" | "delete",
    run: () => Promise<R>,
  ): Promise<R> {
    const begun = this.#clock.monotonic();
    const result = run();
    result.then(
      ({ kind }) => this.#observe(operation, kind, this.#clock.monotonic() - begun),
      () => undefined, // a broken rule: the caller's own promise says so
    );
    return result;
  }
}
