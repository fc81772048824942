import type { Clock, Timer } from "../src/clock.ts";

/** `now()` of a new fake clock: 2026-01-01T00:00:00Z. */
export const FAKE_EPOCH_MS = Date.UTC(2026, 0, 1);

/** A clock that stands still until told otherwise. */
export interface FakeClock extends Clock {
  /** Moves time and fires what falls due, in order of deadline, then of setting; each timer sees its own deadline as now. */
  advance(ms: number): void;
  /** Like advance, and lets the promises of each timer settle before the next one fires. */
  advanceAsync(ms: number): Promise<void>;
  /** Time passes in which nothing runs, as in a process that gets no processor: what falls due meanwhile fires late, at the next advance. */
  stall(ms: number): void;
  /** Number of timers neither fired nor cancelled. */
  pending(): number;
}

interface FakeTimer extends Timer {
  readonly deadline: number;
  readonly fn: () => void;
}

export function fakeClock(epochMs: number = FAKE_EPOCH_MS): FakeClock {
  let elapsed = 0;
  const timers: FakeTimer[] = []; // ascending deadline, equal ones in order of setting

  function setTimer(ms: number, fn: () => void): Timer {
    if (!Number.isFinite(ms))
      throw new RangeError(`a timer needs a finite number of milliseconds, not ${ms}`);
    const timer: FakeTimer = { deadline: elapsed + Math.max(0, ms), fn, cancel: () => remove(timer) };
    let low = 0;
    let high = timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((timers[middle] as FakeTimer).deadline <= timer.deadline) low = middle + 1;
      else high = middle;
    }
    timers.splice(low, 0, timer);
    return timer;
  }

  function remove(timer: FakeTimer): void {
    const index = timers.indexOf(timer);
    if (index >= 0) timers.splice(index, 1);
  }

  function fireNext(end: number): boolean {
    const timer = timers[0];
    if (timer === undefined || timer.deadline > end) {
      elapsed = end;
      return false;
    }
    timers.shift();
    elapsed = Math.max(elapsed, timer.deadline);
    timer.fn();
    return true;
  }

  return {
    now: () => epochMs + elapsed,
    monotonic: () => elapsed,
    setTimer,
    pending: () => timers.length,
    stall(ms) {
      elapsed += ms;
    },
    advance(ms) {
      const end = elapsed + ms;
      while (fireNext(end));
    },
    async advanceAsync(ms) {
      const end = elapsed + ms;
      await settle();
      while (fireNext(end)) await settle();
      await settle();
    },
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
