import { type KvStore, update } from "@ims/store";
import type { z } from "zod";

/** The store does not answer, or others change the same document all the time: nothing was changed, try again. */
export const UNAVAILABLE = "unavailable" as const;
export type Unavailable = typeof UNAVAILABLE;

/** What a change makes of a document; undefined: it goes; "keep": it stays. */
export type Changed<T> = T | undefined | "keep";

/** What nobody writes for so long goes: the store port knows no documents without an end. */
const TTL_SECONDS = 10 * 365 * 24 * 3_600;

/** JSON documents of one kind in the shared store, each change guarded by the version read. */
export class Documents<S extends z.ZodType> {
  readonly #store: KvStore;
  readonly #table: string;
  readonly #schema: S;
  readonly #ttlSeconds: number;

  /** `ttlSeconds`: what nobody writes for so long goes. */
  constructor(store: KvStore, table: string, schema: S, ttlSeconds = TTL_SECONDS) {
    this.#ttlSeconds = ttlSeconds;
    this.#store = store;
    this.#table = table;
    this.#schema = schema;
  }

  async get(key: string): Promise<z.output<S> | undefined | Unavailable> {
    const result = await this.#store.get(this.#table, key);
    if (result.kind === "unavailable") return UNAVAILABLE;
    return result.kind === "found" ? this.#decode(result.value) : undefined;
  }

  /** `change` may run several times and has no effects of its own. */
  async change(
    key: string,
    change: (before: z.output<S> | undefined) => Changed<z.output<S>>,
  ): Promise<"changed" | "kept" | Unavailable> {
    const result = await update(this.#store, this.#table, key, (value) => {
      const after = change(value === undefined ? undefined : this.#decode(value));
      if (after === "keep") return { kind: "keep" };
      if (after === undefined) return { kind: "delete" };
      return { kind: "put", value: Buffer.from(JSON.stringify(after)), ttlSeconds: this.#ttlSeconds };
    });
    if (result.kind === "unavailable" || result.kind === "contention") return UNAVAILABLE;
    return result.kind === "kept" ? "kept" : "changed";
  }

  #decode(value: Uint8Array): z.output<S> {
    return this.#schema.parse(JSON.parse(Buffer.from(value).toString("utf8")));
  }
}
