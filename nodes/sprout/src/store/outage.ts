import type { Clock } from "@ims/runtime";

/** Nothing failed for so long: the next failure begins another outage. */
const QUIET_MS = 2_000;
/** So long another member may be better off: by then an outage of this one alone has ended, as after it was cut off. */
const ALONE_MS = 3_000;

/** Tells the first moments of an outage from a lasting one, of which all members have the same. */
export class Outage {
  readonly #clock: Clock;
  #since = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The stores could not be reached: is another member worth asking? */
  get isNew(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#last > QUIET_MS) this.#since = now;
    this.#last = now;
    return now - this.#since < ALONE_MS;
  }
}
