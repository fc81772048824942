import type { Entry } from "./entry.ts";

/** Where in the line of writes of a key an entry stands. */
export type Lineage = Pick<Entry, "born" | "count" | "stamp" | "ancestors">;

/** Two first writes of a key this close together are a race, whatever the clocks of their writers say. */
const RACE_MS = 10_000;

/**
 * Of two different copies, `earlier` standing before `later` in the chain: whether the later one wins.
 * A write passes the chain from its head, so a copy ahead of the rest by one step may be a write on its way, which a write that
 * was accepted further down has beaten: hence the tie goes to the later copy. More steps mean that the other copy is stale.
 */
export function laterWins(earlier: Lineage, later: Lineage): boolean {
  if (earlier.born === later.born) return later.count >= earlier.count;
  if (earlier.count === 0 && Math.abs(earlier.born - later.born) < RACE_MS) return true;
  return later.born > earlier.born;
}

export type Descent = "same" | "descendant" | "unrelated" | "older" | "unknown";

/** What `entry`, found where `own` was to be written, is to it. */
export function descent(entry: Lineage, own: Lineage): Descent {
  if (entry.stamp === own.stamp) return "same";
  if (entry.ancestors.includes(own.stamp)) return "descendant";
  if (entry.born !== own.born) return "unrelated";
  if (entry.count < own.count) return "older";
  // Its ancestor of our count is on record, and it is not us.
  return entry.count - own.count <= entry.ancestors.length ? "unrelated" : "unknown";
}
