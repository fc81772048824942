/** A second's worth at once, then evenly. */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #last: number | undefined;

  constructor(rate: number) {
    this.#rate = rate;
    this.#tokens = rate;
  }

  take(at: number): boolean {
    this.#tokens = Math.min(this.#rate, this.#tokens + ((at - (this.#last ?? at)) * this.#rate) / 1000);
    this.#last = at;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
