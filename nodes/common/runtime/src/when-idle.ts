import type { Clock } from "./clock.ts";

export interface IdleOptions {
  readonly clock: Clock;
  /** What is in progress; 0: nothing. */
  readonly busy: () => number;
  /** Grows with every piece of work taken. Default: nothing new comes. */
  readonly taken?: () => number;
  /** Without new work for so long, ms: what a neighbour sent before it knew is on its way. */
  readonly quietMs?: number;
  readonly stepMs?: number;
}

const STEP_MS = 50;

/** Resolves when nothing has been in progress and nothing new has come for a while, or when the signal aborts. */
export function whenIdle(options: IdleOptions, signal: AbortSignal): Promise<void> {
  const { clock, busy, taken = () => 0, quietMs = 0, stepMs = STEP_MS } = options;
  return new Promise((resolve) => {
    let seen = taken();
    let since = clock.monotonic();
    const look = (): void => {
      const now = clock.monotonic();
      const all = taken();
      const idle = busy() === 0;
      if (!idle || all !== seen) since = now;
      seen = all;
      if (signal.aborted || (idle && now - since >= quietMs)) resolve();
      else clock.setTimer(stepMs, look);
    };
    look();
  });
}
