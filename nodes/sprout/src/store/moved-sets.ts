import type { DurableWriteResult } from "./durable-registrations.ts";

/** A set was changed at another site than the change before: what the working copy of that one says of it is old. */
export interface Moved {
  readonly key: string;
  /** Where it is now. */
  readonly by: string;
  /** When that began, ms since the epoch. */
  readonly at: number;
  /** Stamp of what it was changed from: later changes of the site it has left are not known where it is now. */
  readonly base: number;
}

export type MovedResult =
  | { readonly kind: "found"; readonly moved: readonly Moved[] }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** How long it is known that a set has moved: a site that is cut off from the other for longer has to begin with an empty memcached. */
export const MOVED_SECONDS = 86_400;

/** Whose stores have to answer a read: those of "both" sites, or of the one we are "here". */
export type Scope = "both" | "here";

/** What sites tell each other of sets that have moved, in a store that is spread over them. Nothing rejects for an outage. */
export interface MovedSets {
  /** "stored": the other site gets to know of it, if need be when it is back. */
  add(to: string, moved: Moved): Promise<DurableWriteResult>;
  /** What a site is told of in one slot (see slotOf), later than `since` (ms since the epoch), in no order. */
  read(of: string, slot: number, since: number, scope: Scope): Promise<MovedResult>;
}

const SLOT_MS = 600_000;

/** Ten minutes since the epoch: what is told in them is read together. Part of the stored format. */
export function slotOf(at: number): number {
  return Math.floor(at / SLOT_MS);
}

/** This site of a core over two. */
export interface TwoSites {
  /** Name of this one. */
  readonly name: string;
  readonly moved: MovedSets;
}
