import type { Clock } from "@ims/runtime";
import { metadump } from "./metadump.ts";
import type { Server } from "./server.ts";

export interface ResyncRequest {
  /** Whose entries are gone through. */
  readonly sources: readonly Server[];
  readonly clock: Clock;
  /** Whether this entry is to be compared. */
  readonly wanted: (key: string) => boolean;
  /** Makes the copies of an entry alike; false when a replica did not answer. */
  readonly compare: (key: string) => Promise<boolean>;
  /** Called between batches; false ends the walk. */
  readonly goOn: () => Promise<boolean> | boolean;
}

export interface ResyncResult {
  /** Entries compared; one that two servers hold counts twice. */
  readonly entries: number;
  /** Every source was gone through and every entry compared on all its replicas. */
  readonly complete: boolean;
}

/** Entries compared at a time, and the pause before the next ones: at most some 6,000 entries a second. */
const BATCH = 32;
const PAUSE_MS = 5;
/** Keys looked at in one turn of the event loop. */
const LOOKS = 1_000;

/** Goes through everything that some servers hold. Traffic comes first: small batches with pauses. */
export async function resynchronize(request: ResyncRequest): Promise<ResyncResult> {
  const { sources, clock, wanted, compare, goOn } = request;
  let entries = 0;
  let complete = true;
  for (const source of sources) {
    const dump = await metadump(source.address, clock);
    if (dump.kind === "unavailable") {
      complete = false;
      continue;
    }
    let batch: string[] = [];
    const flush = async (): Promise<void> => {
      const results = await Promise.all(batch.map(compare));
      entries += batch.length;
      if (results.includes(false)) complete = false;
      batch = [];
      await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve));
    };
    let looked = 0;
    for (const key of dump.keys) {
      if (wanted(key)) batch.push(key);
      if (++looked % LOOKS === 0) await new Promise((resolve) => setImmediate(resolve));
      if (batch.length < BATCH) continue;
      if (!(await goOn())) return { entries, complete: false };
      await flush();
    }
    if (batch.length > 0) await flush();
  }
  return { entries, complete };
}
