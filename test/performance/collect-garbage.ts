import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "./inspected.ts";

/** Pages that have become free are given back after a moment. */
const GIVEN_BACK_MS = 2000;

/**
 * A full collection in each of the processes, one after the other: afterwards resident memory is what is in use, not what the
 * collector has not yet looked at. Rejects when a process cannot be inspected.
 */
export async function collectGarbage(pids: Iterable<number>): Promise<void> {
  for (const pid of pids)
    await inspect(pid, async ({ command }) => {
      await command("HeapProfiler.collectGarbage");
      await command("HeapProfiler.collectGarbage");
    });
  await delay(GIVEN_BACK_MS);
}
