import type { Clock } from "@ims/runtime";

interface Bucket {
  tokens: number;
  at: number;
}

export interface SourceLimiterOptions {
  /** Requests per second from one address; 0: no limit. */
  readonly perSecond: number;
  readonly burst: number;
  /** Addresses remembered; the one not heard of longest is forgotten. */
  readonly maxSources?: number;
}

/** A token bucket per source address for what comes from somebody not (yet) registered. Bounded memory. */
export class SourceLimiter {
  readonly #clock: Clock;
  #perMs: number;
  #burst: number;
  readonly #maxSources: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: SourceLimiterOptions, clock: Clock) {
    this.#clock = clock;
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#maxSources = options.maxSources ?? 20_000;
  }

  /** Another limit from now on. */
  limit(perSecond: number, burst: number): void {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
  }

  /** False: too much from there. */
  admit(address: string): boolean {
    if (this.#perMs === 0) return true;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(address) ?? this.#newBucket(address, now);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #newBucket(address: string, now: number): Bucket {
    if (this.#buckets.size >= this.#maxSources) this.#forgetOne();
    const bucket = { tokens: this.#burst, at: now };
    this.#buckets.set(address, bucket);
    return bucket;
  }

  #forgetOne(): void {
    let oldest: string | undefined;
    let oldestAt = Number.POSITIVE_INFINITY;
    let looked = 0;
    // A look at a few is enough: whoever is forgotten too early gets a full bucket once.
    for (const [address, bucket] of this.#buckets) {
      if (bucket.at < oldestAt) {
        oldest = address;
        oldestAt = bucket.at;
      }
      if (++looked >= 16) break;
    }
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
