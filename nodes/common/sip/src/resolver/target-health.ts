import type { Clock } from "@ims/runtime";
import type { Target } from "../transport/transport.ts";

// RFC 3263 §4.3 leaves the time open; long enough to spare a dead host the retries of a whole transaction.
const DEFAULT_PENALTY_MS = 30_000;
const MAX_FAILED = 10_000;

/** Targets that failed lately: they are tried last until their time is over. */
export class TargetHealth {
  readonly #clock: Clock;
  readonly #penaltyMs: number;
  /** Until when (monotonic ms), oldest failure first. */
  readonly #failed = new Map<string, number>();

  constructor(clock: Clock, penaltyMs: number = DEFAULT_PENALTY_MS) {
    this.#clock = clock;
    this.#penaltyMs = penaltyMs;
  }

  failed(target: Target): void {
    const key = keyOf(target);
    this.#failed.delete(key);
    this.#failed.set(key, this.#clock.monotonic() + this.#penaltyMs);
    if (this.#failed.size <= MAX_FAILED) return;
    for (const oldest of this.#failed.keys()) {
      this.#failed.delete(oldest);
      return;
    }
  }

  /** The same targets in the same order, those that failed lately at the end. */
  order(targets: readonly Target[]): readonly Target[] {
    if (this.#failed.size === 0 || targets.length < 2) return targets;
    this.#forget();
    const late = targets.filter((target) => this.#failed.has(keyOf(target)));
    if (late.length === 0 || late.length === targets.length) return targets;
    return [...targets.filter((target) => !late.includes(target)), ...late];
  }

  #forget(): void {
    const now = this.#clock.monotonic();
    for (const [key, until] of this.#failed) {
      if (until > now) return;
      this.#failed.delete(key);
    }
  }
}

function keyOf(target: Target): string {
  return `${target.protocol}|${target.address}|${target.port}`;
}
