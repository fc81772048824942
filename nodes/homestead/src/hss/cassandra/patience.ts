import type { Clock } from "@ims/runtime";

/** An operation is done in a few round trips; one that is seen unchanged for this long has died. */
const PATIENCE_MS = 2000;
const LOOK_MS = 50;

/**
 * Waits for the operations of other homesteads. How long one is waited for is measured here, so that no clocks are
 * compared. To be mistaken harms nobody: an operation that was given up cannot commit.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #since = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after a moment: true when the operation may be given up. */
  async isOver(operation: string): Promise<boolean> {
    const now = this.#clock.monotonic();
    const since = this.#since.get(operation) ?? now;
    this.#since.set(operation, since);
    if (now - since >= PATIENCE_MS) return true;
    // Spread, so that two who wait for one do not look in step.
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(LOOK_MS * (0.5 + Math.random()), resolve);
    });
    return false;
  }
}
