import type { Clock } from "../clock.ts";

/** A reading that took longer was interrupted: the next change of the clock is looked at instead. */
const SHARP_MS = 0.05;
const ATTEMPTS = 3;
/** For a clock of whole milliseconds that stands still. */
const LONGEST_MS = 2;
/** What the known start may differ from the clock before it is taken anew. */
const TOLERANCE_MS = 0.5;

/**
 * Gives the wall-clock time, ms since the epoch with fractions, at which the monotonic clock stood at 0. The wall clock has whole
 * milliseconds only and messages pass a node in less: where it was set since the last look, the moment of its next change is
 * waited for (1 ms at most, 3 when interrupted), so that the steps of several nodes stand in the order in which they happened.
 */
export function wallOrigin(clock: Pick<Clock, "now" | "monotonic">, first: number): () => number {
  let known = first;
  return () => {
    const behind = known + clock.monotonic() - clock.now();
    if (behind < -TOLERANCE_MS || behind >= 1 + TOLERANCE_MS) known = measured(clock);
    return known;
  };
}

function measured({ now, monotonic }: Pick<Clock, "now" | "monotonic">): number {
  let best = now() - monotonic();
  let bestWidth = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && bestWidth > SHARP_MS; attempt++) {
    const start = now();
    const began = monotonic();
    let [before, after, wall] = [began, began, now()];
    while (wall === start && after - began < LONGEST_MS) {
      before = after;
      wall = now();
      after = monotonic();
    }
    if (after - before < bestWidth) {
      bestWidth = after - before;
      best = wall - after;
    }
  }
  return best;
}
