import { setTimeout as after } from "node:timers/promises";

/** Time of the outside world, for what waits on it; tests give one that does not wait. */
export interface Pace {
  /** ms since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realPace: Pace = {
  now: () => Date.now(),
  sleep: (ms, signal) => after(ms, undefined, signal === undefined ? {} : { signal }),
};
