import type { Clock, Timer } from "@ims/runtime";
import type { FakeClock } from "@ims/runtime/testing";
import type { KvStore } from "@ims/store";

/** What SIGSTOP does to a process: time goes on, but nothing of it happens until SIGCONT, when all that is overdue happens at once. */
export class Stopped {
  readonly clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(clock: FakeClock) {
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (ms, fn) => this.#timer(clock, ms, fn),
    };
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Timers first, then what has come in: as the event loop does it. */
  go(): void {
    this.#stopped = false;
    for (const one of this.#waiting.splice(0)) one();
  }

  /** Requests that were sent are carried out; their answers wait. */
  store(inner: KvStore): KvStore {
    return {
      get: (...args) => this.#answer(inner.get(...args)),
      put: (...args) => this.#answer(inner.put(...args)),
      delete: (...args) => this.#answer(inner.delete(...args)),
    };
  }

  async #answer<T>(operation: Promise<T>): Promise<T> {
    const result = await operation;
    if (this.#stopped) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return result;
  }

  #timer(clock: FakeClock, ms: number, fn: () => void): Timer {
    let cancelled = false;
    const fire = (): void => {
      if (!cancelled) fn();
    };
    const timer = clock.setTimer(ms, () => {
      if (this.#stopped) this.#waiting.unshift(fire);
      else fire();
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }
}
