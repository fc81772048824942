import { dropOldest } from "@ims/runtime";
import type { Target } from "./chain-write.ts";
import type { Lineage } from "./precedence.ts";

/** What a write needs of the read before it. */
export interface Base {
  /** Replicas that answered, with what their guards are. */
  readonly targets: readonly Target[];
  /** The entry that is to be replaced; none when no replica holds any. */
  readonly prior: Lineage | undefined;
  /** Lifetime left of its item. */
  readonly seconds: number;
  /** The item already outlives what was there before it. */
  readonly padded: boolean;
}

/** What the last reads saw, by version, so that the write after a read need not read again. */
export class VersionCache {
  readonly #limit: number;
  readonly #bases = new Map<number, Base>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  set(version: number, base: Base): void {
    this.#bases.delete(version);
    this.#bases.set(version, base);
    if (this.#bases.size > this.#limit) dropOldest(this.#bases, this.#limit);
  }

  /** Hands it out once. */
  take(version: number): Base | undefined {
    const base = this.#bases.get(version);
    if (base !== undefined) this.#bases.delete(version);
    return base;
  }
}
