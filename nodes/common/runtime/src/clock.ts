import { timerWheel } from "./timer-wheel.ts";

/** A pending timer. `cancel` is idempotent and harmless after the timer has fired. */
export interface Timer {
  cancel(): void;
}

/** Where every wait and every time stamp comes from. Tests pass `fakeClock()`. */
export interface Clock {
  /** Wall-clock time, ms since the epoch. May jump; only for what is stored or shown. */
  now(): number;
  /** Monotonic time in ms from an arbitrary start; for durations. */
  monotonic(): number;
  /** Calls `fn` once, never before `ms` have passed. Negative `ms` counts as 0, a non-finite one throws RangeError. */
  setTimer(ms: number, fn: () => void): Timer;
}

export interface SystemClockOptions {
  /** Takes what a timer callback throws. Default: it surfaces as an uncaught exception. The other timers run on. */
  readonly onError?: (error: unknown) => void;
}

/** The machine's clock. Timers sit on one wheel per clock: exact to about 10 ms, constant cost to set and cancel. */
export function systemClock(options: SystemClockOptions = {}): Clock {
  const wheel = timerWheel({ onError: options.onError ?? throwUncaught });
  return {
    now: Date.now,
    monotonic: () => performance.now(),
    setTimer: (ms, fn) => wheel.setTimer(ms, fn),
  };
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
