import { type Clock, dropOldest } from "@ims/runtime";
import type { StoredSubscriber } from "./stored-subscriber.ts";

/** From a UAR to the MAR, and from the challenge to its answer, it is less. */
const MAX_AGE_MS = 5000;
const MAX_READS = 10_000;

type Read = { readonly subscriber: StoredSubscriber; readonly at: number };

/** Subscribers as they were read or saved here a moment ago: what a procedure may try first, because its save finds out. */
export class RecentReads {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #reads = new Map<string, Read>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(subscriber: StoredSubscriber): void {
    this.#reads.delete(subscriber.impi);
    if (this.#reads.size >= MAX_READS) dropOldest(this.#reads, MAX_READS);
    this.#reads.set(subscriber.impi, { subscriber, at: this.#clock.monotonic() });
  }

  get(impi: string): StoredSubscriber | undefined {
    const read = this.#reads.get(impi);
    if (read === undefined) return undefined;
    if (this.#clock.monotonic() - read.at <= MAX_AGE_MS) return read.subscriber;
    this.#reads.delete(impi);
    return undefined;
  }

  delete(impi: string): void {
    this.#reads.delete(impi);
  }
}
