import {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  type PutOptions,
  type PutResult,
  type Version,
} from "./kv-store.ts";

/**
 * `primary` while it answers, `secondary` for what is written while it does not, or not to everybody. For entries that are
 * written once under a key nobody else picks (challenges): an entry in one store does not keep the same key from being put into
 * the other. Versions of both drivers must not be negative.
 */
export class FallbackStore implements KvStore {
  readonly #primary: KvStore;
  readonly #secondary: KvStore;

  constructor(primary: KvStore, secondary: KvStore) {
    this.#primary = primary;
    this.#secondary = secondary;
  }

  async get(table: string, key: string): Promise<GetResult> {
    const first = await this.#primary.get(table, key);
    if (first.kind === "found") return first;
    const second = await this.#secondary.get(table, key);
    if (second.kind === "found") return { ...second, version: marked(second.version) };
    // What may stand in a store that is away is not "not found", unless the other one takes its place.
    return first.kind === "unavailable" && second.kind === "unavailable" ? first : { kind: "notFound" };
  }

  async put(table: string, key: string, value: Uint8Array, options: PutOptions): Promise<PutResult> {
    const { ifVersion, ttlSeconds } = options;
    if (ifVersion !== "absent" && ifVersion < 0)
      return this.#secondary.put(table, key, value, { ifVersion: unmarked(ifVersion), ttlSeconds });
    // In one store, not in both: a version used in the one must not be good in the other.
    const elsewhere = ifVersion === "absent" && this.#primary.isSettled?.(table, key) === false;
    if (elsewhere) {
      const put = await this.#secondary.put(table, key, value, options);
      if (put.kind !== "unavailable") return put;
    }
    const first = await this.#primary.put(table, key, value, options);
    if (first.kind !== "unavailable" || elsewhere) return first;
    const second = await this.#secondary.put(table, key, value, { ifVersion: "absent", ttlSeconds });
    return second.kind === "unavailable" ? first : second;
  }

  async delete(table: string, key: string, options?: DeleteOptions): Promise<PutResult> {
    const version = options?.ifVersion;
    if (version !== undefined)
      return version < 0
        ? this.#secondary.delete(table, key, { ifVersion: unmarked(version) })
        : this.#primary.delete(table, key, { ifVersion: version });
    const [first, second] = await Promise.all([
      this.#primary.delete(table, key),
      this.#secondary.delete(table, key),
    ]);
    return first.kind === "unavailable" ? second : first;
  }
}

export function fallbackStore(primary: KvStore, secondary: KvStore): KvStore {
  return new FallbackStore(primary, secondary);
}

function marked(version: Version): Version {
  return asVersion(-version - 1);
}

function unmarked(version: Version): Version {
  return asVersion(-version - 1);
}
