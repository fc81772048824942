import type { Clock, Timer } from "./clock.ts";
import type { Service } from "./service.ts";

/** One look at how long things wait in this process. */
export interface LoadSample {
  /** The longest of all delays since the last look, ms. */
  readonly delayMs: number;
  /** Since the last look, ms. */
  readonly elapsedMs: number;
}

export interface LoadMonitorOptions {
  readonly clock: Clock;
  /** Between two looks, ms. */
  readonly periodMs?: number;
  /** Longest delay since it was asked last, ms: what a queue of this process knows about itself. */
  readonly queues?: readonly (() => number)[];
  readonly onSample: (sample: LoadSample) => void;
}

export interface LoadMonitor extends Service {
  /** Of the last look. */
  readonly delayMs: number;
}

const PERIOD_MS = 50;
/** Timers sit on a wheel: this late they are in time. */
const WHEEL_MS = 10;

/** Measures how late the event loop comes to its timers, asks the queues, and tells the longest delay of each period. */
export function loadMonitor(options: LoadMonitorOptions): LoadMonitor {
  const { clock, periodMs = PERIOD_MS, queues = [], onSample } = options;
  let timer: Timer | undefined;
  let lookedAt = 0;
  let delayMs = 0;

  function look(): void {
    const now = clock.monotonic();
    const elapsedMs = now - lookedAt;
    lookedAt = now;
    delayMs = Math.max(0, elapsedMs - periodMs - WHEEL_MS);
    for (const queue of queues) delayMs = Math.max(delayMs, queue());
    timer = clock.setTimer(periodMs, look);
    onSample({ delayMs, elapsedMs });
  }

  return {
    get delayMs() {
      return delayMs;
    },
    async start() {
      lookedAt = clock.monotonic();
      timer ??= clock.setTimer(periodMs, look);
    },
    async quiesce() {},
    async stop() {
      timer?.cancel();
      timer = undefined;
    },
  };
}
