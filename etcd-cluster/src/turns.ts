import type { Clock, Timer } from "@ims/runtime";

export interface TurnsOptions {
  readonly clock: Clock;
  /** Between turns that nobody asked for, ms. */
  readonly everyMs: number;
  readonly turn: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Work that is done again and again, and when there is reason to, never twice at once. A turn that fails is followed by the next. */
export class Turns {
  readonly #options: TurnsOptions;
  #running = false;
  #timer: Timer | undefined;
  #turn: Promise<void> | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#again();
  }

  /** No turn begins any more. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** The end of the turn in progress, if there is one. */
  async ended(): Promise<void> {
    await this.#turn;
  }

  /** A turn now, unless one is in progress. */
  soon(): void {
    if (!this.#running || this.#turn !== undefined) return;
    const { turn, onError } = this.#options;
    this.#turn = turn()
      .catch(onError)
      .finally(() => {
        this.#turn = undefined;
      });
  }

  #again(): void {
    const { clock, everyMs } = this.#options;
    this.#timer = clock.setTimer(everyMs, () => {
      this.soon();
      this.#again();
    });
  }
}
