import type { Clock } from "@ims/runtime";

const MAX_REMEMBERED = 10_000;
const MINUTE_MS = 60_000;

/** So many in a while, a minute unless told otherwise, for each name, with as many at once. */
export class RateLimit {
  readonly #most: number;
  readonly #clock: Clock;
  readonly #whileMs: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(most: number, clock: Clock, whileMs: number = MINUTE_MS) {
    this.#most = most;
    this.#clock = clock;
    this.#whileMs = whileMs;
  }

  /** Whether there is one left for that name; nothing is taken. */
  has(name: string): boolean {
    return this.#tokens(name) >= 1;
  }

  /** Takes one; false when there was none. */
  take(name: string): boolean {
    const tokens = this.#tokens(name);
    if (tokens < 1) return false;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: tokens - 1, at: this.#clock.monotonic() });
    if (this.#buckets.size > MAX_REMEMBERED)
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    return true;
  }

  /** What was taken before it was known whether it had to be. */
  giveBack(name: string): void {
    const known = this.#buckets.get(name);
    if (known !== undefined) known.tokens = Math.min(this.#most, known.tokens + 1);
  }

  #tokens(name: string): number {
    const known = this.#buckets.get(name);
    if (known === undefined) return this.#most;
    const grown = ((this.#clock.monotonic() - known.at) / this.#whileMs) * this.#most;
    return Math.min(this.#most, known.tokens + grown);
  }
}

/** As many tokens are good at a time. */
export const MAILS_AN_HOUR = 3;

export interface RateLimits {
  /** Wrong passwords of one user from one address: nobody locks out somebody else. */
  readonly guesses: RateLimit;
  /** Wrong passwords, sign-up codes, keys and recovery tokens from one address. */
  readonly guessesFrom: RateLimit;
  /** New accounts from one address. */
  readonly accounts: RateLimit;
  /** Mails that one address has asked for: nobody takes those of all the others. */
  readonly mailsFrom: RateLimit;
  /** Mails to one user. */
  readonly mailsTo: RateLimit;
  /** Mails to all of them. */
  readonly mails: RateLimit;
  /** Credentials for TURN of one user. */
  readonly turn: RateLimit;
  /** Changes by one of the staff. */
  readonly staffChanges: RateLimit;
}

export function rateLimits(clock: Clock): RateLimits {
  return {
    guesses: new RateLimit(10, clock),
    guessesFrom: new RateLimit(60, clock),
    accounts: new RateLimit(60, clock),
    mailsFrom: new RateLimit(10, clock, 600_000),
    mailsTo: new RateLimit(MAILS_AN_HOUR, clock, 3_600_000),
    mails: new RateLimit(30, clock),
    turn: new RateLimit(30, clock),
    staffChanges: new RateLimit(240, clock),
  };
}
