import { setTimeout as delay } from "node:timers/promises";
import { processorTime, stolenBetween } from "../../support/stolen-time.ts";

/** More than this share of stolen time spoils the times of a run. */
export const MOST_STOLEN = 0.03;
const LOOK_MS = 5_000;
const LOOKS = 4;

/** Waits until little was stolen for 20 s in a row, `patienceMs` at most; false: it did not come to that. */
export async function calm(patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  let before = processorTime();
  for (let quiet = 0; quiet < LOOKS; ) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_MS);
    const after = processorTime();
    quiet = stolenBetween(before, after) <= MOST_STOLEN ? quiet + 1 : 0;
    before = after;
  }
  return true;
}
