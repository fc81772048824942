import { setTimeout as pause } from "node:timers/promises";

/** Scrapes whose text is not taken yet: each holds some 100 kB. */
const MAX_OPEN = 16;
/** A scrape may take this part of the event loop's time. */
const SHARE = 0.2;

/**
 * Makes the text of a scrape for all who ask for it meanwhile, and leaves the process time between two of them: whoever asks too often
 * waits a little, and who is one of too many is refused.
 */
export class ScrapeTurns {
  readonly #make: () => Promise<string>;
  #next: Promise<string> | undefined;
  #open = 0;
  /** performance.now() from which on the next one may be made. */
  #earliest = 0;

  constructor(make: () => Promise<string>) {
    this.#make = make;
  }

  /** Undefined: too many ask. `taken` resolves when the answer is gone, or will never be taken. */
  async text(taken: Promise<unknown>): Promise<string | undefined> {
    if (this.#open >= MAX_OPEN) return undefined;
    this.#open++;
    void taken.finally(() => this.#open--);
    this.#next ??= this.#turn();
    return this.#next;
  }

  async #turn(): Promise<string> {
    try {
      const wait = this.#earliest - performance.now();
      // In any case after this turn has become the next one.
      await (wait > 0 ? pause(wait) : undefined);
    } finally {
      // Who asks from now on sees what happens from now on.
      this.#next = undefined;
    }
    const began = performance.now();
    const text = await this.#make();
    const now = performance.now();
    this.#earliest = now + (now - began) * (1 / SHARE - 1);
    return text;
  }
}
