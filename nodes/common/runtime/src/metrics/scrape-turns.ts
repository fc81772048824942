import { setTimeout as pause } from "node:timers/promises";

/** Scrapes whose text is not taken yet: each holds some 100 kB. */
const MAX_OPEN = 16;
/** Of those, from one address: who floods leaves places for others. */
const MAX_OPEN_OF_ONE = 8;
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
  /** By address; those that have none are not in it. */
  readonly #openOf = new Map<string, number>();
  /** performance.now() from which on the next one may be made. */
  #earliest = 0;

  constructor(make: () => Promise<string>) {
    this.#make = make;
  }

  /** Undefined: too many ask, or this address too often. `taken` resolves when the answer is gone, or will never be taken. */
  async text(address: string, taken: Promise<unknown>): Promise<string | undefined> {
    if (this.#open >= MAX_OPEN || (this.#openOf.get(address) ?? 0) >= MAX_OPEN_OF_ONE) return undefined;
    this.#count(address, 1);
    void taken.finally(() => this.#count(address, -1));
    this.#next ??= this.#turn();
    return this.#next;
  }

  #count(address: string, more: number): void {
    const open = (this.#openOf.get(address) ?? 0) + more;
    this.#open += more;
    if (open === 0) this.#openOf.delete(address);
    else this.#openOf.set(address, open);
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
