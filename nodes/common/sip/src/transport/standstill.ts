import type { Clock, Timer } from "@ims/runtime";

const BEAT_MS = 500;
/** Longer gaps between two beats are kept in mind; what nobody calls a standstill, too. */
const GAP_MS = 2 * BEAT_MS;
/** How long it takes until everything has been read that waited meanwhile. */
const DRAIN_MS = 1_000;

/**
 * Notices that this process stood still: stopped by a signal or a debugger, or without a processor. What its sockets held then may have
 * been sent at any moment since; whoever sent it has given it up and done it elsewhere. A machine whose own clock stood still too, as
 * one that was suspended, is not noticed.
 */
export class Standstill {
  readonly #clock: Clock;
  readonly #onEnd: (stoodMs: number) => void;
  #timer: Timer | undefined;
  #lastBeat = Number.POSITIVE_INFINITY;
  #stood = 0;
  #drainedAt = 0;

  /** `onEnd` is told how long it stood, whenever that was longer than a second. */
  constructor(clock: Clock, onEnd: (stoodMs: number) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#lastBeat = this.#clock.monotonic();
    this.#beat();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lastBeat = Number.POSITIVE_INFINITY;
    this.#stood = 0;
  }

  /** May what is read now (monotonic ms) have waited for so long? Sockets can come before timers when the process goes on. */
  isStale(now: number, limitMs: number): boolean {
    return now - this.#lastBeat > limitMs || (this.#stood > limitMs && now < this.#drainedAt);
  }

  #beat(): void {
    this.#timer = this.#clock.setTimer(BEAT_MS, () => {
      const now = this.#clock.monotonic();
      const gap = now - this.#lastBeat;
      this.#lastBeat = now;
      if (gap > GAP_MS) {
        this.#stood = gap;
        this.#drainedAt = now + DRAIN_MS;
        this.#onEnd(gap);
      }
      this.#beat();
    });
  }
}

/** A response is dropped by whoever no longer waits for it; a request would have its effect. */
export function isRequest(text: string): boolean {
  return !text.startsWith("SIP/2.0 ");
}
