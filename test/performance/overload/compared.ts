import { percentile } from "../round.ts";
import type { Step } from "./steps.ts";

/** A step beyond capacity between two of the load that gave the best goodput, and the load after it. */
export interface Compared {
  /** Of the best goodput. */
  readonly times: number;
  readonly full: readonly [Step, Step];
  readonly over: Step;
  readonly calm: Step;
}

/**
 * Goodput beyond capacity as a share of the better of its two neighbours. A virtual processor is faster in one half minute than in the next, and says nothing of
 * it: the best of a ramp is its best moment as well.
 */
export function shareOf({ full, over }: Compared): number {
  return over.goodput / Math.max(...full.map(({ goodput }) => goodput));
}

/** Seconds of new work that was refused once the load was normal again. */
export function refusedSeconds({ calm }: Compared): number {
  return calm.refused / calm.offered;
}

export function comparedLine(one: Compared): string {
  const [before, after] = one.full;
  return `${one.times} x: goodput ${one.over.goodput}/s between ${before.goodput} and ${after.goodput}: ${shareOf(one).toFixed(2)}; afterwards refused for ${refusedSeconds(one).toFixed(2)} s`;
}

/** Median and worst for each multiple. */
export function summary(compared: readonly Compared[]): string {
  const lines = [...new Set(compared.map(({ times }) => times))].map((times) => {
    const turns = compared.filter((one) => one.times === times);
    const shares = turns.map(shareOf).toSorted((a, b) => a - b);
    const [ended, failed] = [
      Math.min(...turns.map(({ over }) => over.inDialog)),
      turns.reduce((sum, { over, calm }) => sum + over.failed + calm.failed, 0),
    ];
    return `${times} x: goodput ${percentile(shares, 0.5).toFixed(2)} of the best [${shares.map((share) => share.toFixed(2)).join(" ")}]; in-dialog ${(100 * ended).toFixed(1)} %, ${failed} failed; afterwards refused for at most ${Math.max(...turns.map(refusedSeconds)).toFixed(2)} s`;
  });
  return lines.join("\n");
}
