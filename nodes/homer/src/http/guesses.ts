import type { Clock } from "@ims/runtime";

const WINDOW_MS = 60_000;
const MAX_FAILURES = 10;
const MAX_REMEMBERED = 10_000;

/** Bounds how often a password may be guessed: by user and address, so that nobody locks out somebody else. */
export class Guesses {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tooMany(username: string, address: string): boolean {
    const known = this.#failures.get(`${address} ${username}`);
    return known !== undefined && known.until > this.#clock.now() && known.count >= MAX_FAILURES;
  }

  failed(username: string, address: string): void {
    const key = `${address} ${username}`;
    const now = this.#clock.now();
    const known = this.#failures.get(key);
    if (known !== undefined && known.until > now) known.count++;
    else {
      this.#failures.delete(key);
      this.#failures.set(key, { count: 1, until: now + WINDOW_MS });
    }
    if (this.#failures.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }
}
