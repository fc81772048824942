import type { Scope } from "./moved-sets.ts";

/** One row as it is kept: a value and the stamp it was written with. */
export interface DurableRow {
  readonly item: string;
  readonly value: Uint8Array;
  /** Microseconds since the epoch, see PartitionWrite. */
  readonly stamp: number;
}

/** A change of the rows under one partition. It takes effect as a whole or not at all. */
export interface PartitionWrite {
  /** A public identity in canonical form, or "impi:" and a private identity. */
  readonly partition: string;
  /**
   * Microseconds since the epoch; grows with each change of the set. Of two writes of one item the higher stamp wins, in
   * whatever order they arrive; the same write may arrive twice.
   */
  readonly stamp: number;
  readonly puts: readonly {
    readonly item: string;
    readonly value: Uint8Array;
    readonly ttlSeconds: number;
  }[];
  /** Items that go. */
  readonly removes: readonly string[];
  /** Whatever has this stamp or a lower one goes; lower than `stamp`. */
  readonly clearedTo: number | undefined;
}

export type DurableReadResult =
  | { readonly kind: "found"; readonly rows: readonly DurableRow[] }
  | { readonly kind: "unavailable"; readonly cause: Error };

export type DurableWriteResult =
  | { readonly kind: "stored" }
  | { readonly kind: "unavailable"; readonly cause: Error };

/**
 * The durable copy of registrations: one row per binding, so that writers who do not know of each other lose nothing.
 * What the rows mean is said in durable-rows.ts. Nothing rejects for an outage.
 */
export interface DurableRegistrations {
  /**
   * All rows of a partition that have not gone; none is "found" with no rows. "both": whatever was acknowledged at either site, soon
   * unavailable when one of them is away; default: what was acknowledged here.
   */
  read(partition: string, scope?: Scope): Promise<DurableReadResult>;
  /** "stored" when all of them outlive the process; otherwise any of them may be, and writing them again does no harm. */
  write(writes: readonly PartitionWrite[]): Promise<DurableWriteResult>;
  /** The store's own clock, ms since the epoch: what a pool agrees on. Undefined when it does not answer or has none. */
  now?(): Promise<number | undefined>;
}
