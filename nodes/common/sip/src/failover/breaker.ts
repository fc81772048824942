/** How long a breaker stays open the first time, and at most when its trials keep failing. */
const OPEN_MS = 1_000;
const MAX_OPEN_MS = 8_000;
/** A trial whose outcome nobody heard of is followed by another. */
const TRIAL_MS = 10_000;

/**
 * Circuit breaker of one method at one target. Closed: everything passes; open: nothing new; half-open: one trial passes and
 * decides. A success sets the count back, so that what single users make a target answer cannot open it. Monotonic ms.
 */
export class Breaker {
  readonly #limit: number;
  readonly #windowMs: number;
  #failures = 0;
  #since = 0;
  #blockedUntil = 0;
  #openMs = OPEN_MS;
  #state: "closed" | "open" | "halfOpen" = "closed";

  constructor({ failures, windowMs }: { readonly failures: number; readonly windowMs: number }) {
    this.#limit = failures;
    this.#windowMs = windowMs;
  }

  get state(): "closed" | "open" | "halfOpen" {
    return this.#state;
  }

  /** Must a new request go elsewhere? */
  blocks(now: number): boolean {
    return this.#state !== "closed" && now < this.#blockedUntil;
  }

  /** A request goes to the target: when the breaker has been open long enough, the trial. */
  sent(now: number): void {
    if (this.#state === "closed" || now < this.#blockedUntil) return;
    this.#state = "halfOpen";
    this.#blockedUntil = now + TRIAL_MS;
  }

  succeeded(): void {
    this.#state = "closed";
    this.#failures = 0;
    this.#openMs = OPEN_MS;
  }

  failed(now: number): void {
    if (this.#state !== "closed") {
      if (this.#state === "halfOpen") this.#openMs = Math.min(this.#openMs * 2, MAX_OPEN_MS);
      this.#open(now);
      return;
    }
    if (this.#failures === 0 || now - this.#since > this.#windowMs) {
      this.#failures = 0;
      this.#since = now;
    }
    this.#failures += 1;
    if (this.#failures >= this.#limit) this.#open(now);
  }

  #open(now: number): void {
    this.#state = "open";
    this.#blockedUntil = now + this.#openMs;
  }
}
