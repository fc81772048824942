import type { Clock, Timer } from "@ims/runtime";

const EVERY_MS = 10_000;
/** A difference below this is the network's or of no account: clocks of a pool are kept by NTP. */
const TOLERATED_MS = 2_000;
/** An answer later than this says too little about when it was given. */
const LATEST_ANSWER_MS = 500;
/** Samples a correction is drawn from; their median, so one store node with a wrong clock changes nothing. */
const SAMPLES = 5;
const FIRST_SAMPLES = 3;

/**
 * The time that the members of a pool agree on: this machine's, unless it differs from the store's by seconds. A member
 * whose clock is an hour off then ends nobody's registration early and gives no binding an hour too much.
 */
export class PoolClock implements Clock {
  readonly #clock: Clock;
  readonly #reference: () => Promise<number | undefined>;
  readonly #samples: number[] = [];
  /** Wall clock minus monotonic, as the pool has it; undefined: as this machine has it. */
  #base: number | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, reference: () => Promise<number | undefined>) {
    this.#clock = clock;
    this.#reference = reference;
  }

  now(): number {
    return this.#base === undefined ? this.#clock.now() : Math.floor(this.#base + this.#clock.monotonic());
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(ms: number, fn: () => void): Timer {
    return this.#clock.setTimer(ms, fn);
  }

  /** How far this machine's clock is off, ms; 0 while it is right or nobody says otherwise. */
  get correction(): number {
    return this.#base === undefined
      ? 0
      : Math.round(this.#base + this.#clock.monotonic() - this.#clock.now());
  }

  /** Resolves after the first comparisons, whatever came of them: three, for one store node may be the one that is wrong. */
  async start(): Promise<void> {
    let compared = await this.#compare();
    while (compared && this.#samples.length < FIRST_SAMPLES) compared = await this.#compare();
    if (!this.#stopped) this.#timer = this.#clock.setTimer(EVERY_MS, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #compare(): Promise<boolean> {
    const before = this.#clock.monotonic();
    const told = await this.#reference();
    const after = this.#clock.monotonic();
    if (told === undefined || after - before > LATEST_ANSWER_MS) return false;
    this.#samples.push(told - (before + after) / 2);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const sorted = [...this.#samples].sort((a, b) => a - b);
    const base = sorted[sorted.length >> 1] ?? 0;
    const own = this.#clock.now() - this.#clock.monotonic();
    this.#base = Math.abs(base - own) > TOLERATED_MS ? base : undefined;
    return true;
  }
}
