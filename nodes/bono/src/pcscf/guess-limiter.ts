import { type Clock, dropOldest } from "@ims/runtime";
import { flat } from "./flat.ts";

interface Tries {
  count: number;
  nextTry: number;
}

export interface GuessLimiterOptions {
  /** Tries before the brake is applied; 0: never. */
  readonly free: number;
  /** Time between two tries from then on. */
  readonly intervalMs: number;
  readonly maxEntries?: number;
}

/**
 * Slows down who guesses a password: per source address and private identity, so that the owner elsewhere is never kept
 * out. A try counts from when it is passed on (many may be on their way at once) until one succeeds. Bounded: the entry
 * longest without a try is forgotten.
 */
export class GuessLimiter {
  readonly #clock: Clock;
  readonly #options: GuessLimiterOptions;
  readonly #maxEntries: number;
  readonly #tries = new Map<string, Tries>();

  constructor(options: GuessLimiterOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#maxEntries = options.maxEntries ?? 50_000;
  }

  /** Before an answer to a challenge is passed on. False: too early for the next try. */
  admit(address: string, impi: string): boolean {
    const { free, intervalMs } = this.#options;
    if (free === 0) return true;
    const name = key(address, impi);
    const tries = this.#tries.get(name);
    if (tries === undefined) {
      this.#remember(name, { count: 1, nextTry: 0 });
      return true;
    }
    if (tries.count >= free) {
      const now = this.#clock.monotonic();
      if (now < tries.nextTry) return false;
      tries.nextTry = now + intervalMs;
      this.#tries.delete(name);
      this.#remember(name, tries);
    }
    tries.count += 1;
    if (tries.count === free) tries.nextTry = this.#clock.monotonic() + intervalMs;
    return true;
  }

  /** The try was no guess (stale nonce, no answer from the core). */
  forgive(address: string, impi: string): void {
    const tries = this.#tries.get(key(address, impi));
    if (tries !== undefined && tries.count > 0) tries.count -= 1;
  }

  succeeded(address: string, impi: string): void {
    if (this.#tries.size > 0) this.#tries.delete(key(address, impi));
  }

  #remember(name: string, tries: Tries): void {
    if (this.#tries.size >= this.#maxEntries) dropOldest(this.#tries, this.#maxEntries);
    this.#tries.set(name, tries);
  }
}

/** An HSS may take an identity in any case; its writer must not get ten tries for each. */
function key(address: string, impi: string): string {
  return flat(`${address}|${impi.slice(0, 256).toLowerCase()}`);
}
