import { reportText } from "./loss-parameters.ts";

/** How long a report stands without a newer one, ms: responses of a busy server come much more often. */
const VALIDITY_MS = 1_000;
/** Never everything: what still comes shows when it is over. */
const LEAST_KEPT = 0.05;
/** So much more than can be taken is asked for, or the rate would have no reason to rise. */
const SURPLUS = 1.05;

/** What a server has seen since the last measurement. */
export interface Arrivals {
  /** Requests that may be shed. */
  readonly sheddable: number;
  /** All others. */
  readonly exempt: number;
  /** Sheddable requests a second that can be taken; undefined while nothing is limited. */
  readonly rate: number | undefined;
  readonly elapsedMs: number;
}

/** The server's half of RFC 7339: what share of their requests its clients are to keep back. */
export class LossFeedback {
  readonly #now: () => number;
  /** Share of the sheddable requests that clients send: 1 without overload. */
  #kept = 1;
  #percent = 0;
  #report: string;
  #lastSeq = "";
  #serial = 0;

  /** `now`: wall clock, ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#report = reportText(0, 0, this.#seq());
  }

  /** 0 to 100: value of "oc". */
  get percent(): number {
    return this.#percent;
  }

  /** The parameters for the Via of a response (RFC 7339 §5.2). */
  get report(): string {
    return this.#report;
  }

  measured({ sheddable, exempt, rate, elapsedMs }: Arrivals): void {
    const before = this.#percent;
    // What would have come without any reduction.
    const offered = sheddable / this.#kept;
    if (rate === undefined) this.#kept = Math.min(1, this.#kept * 1.25 + 0.02);
    else if (sheddable > 0) {
      // Half the way in a measurement: the clients' reduction shows in the next one only.
      const wanted = (rate * SURPLUS * elapsedMs) / 1000 / sheddable;
      this.#kept *= Math.sqrt(Math.min(2, Math.max(0.25, wanted)));
      this.#kept = Math.min(1, Math.max(LEAST_KEPT, this.#kept));
    }
    // "oc" is a share of all requests (RFC 7339 §5.3).
    const all = offered + exempt;
    this.#percent = this.#kept === 1 || all === 0 ? 0 : Math.round((100 * offered * (1 - this.#kept)) / all);
    if (before === 0 && this.#percent === 0) return;
    // §5.7: the end is said too.
    this.#report = reportText(this.#percent, this.#percent === 0 ? 0 : VALIDITY_MS, this.#seq());
  }

  /** RFC 7339 §4.4: grows with every value; a time stamp, and a serial number for what is said within a millisecond. */
  #seq(): string {
    const ms = this.#now();
    const stamp = `${Math.floor(ms / 1000)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
    this.#serial = stamp === this.#lastSeq ? Math.min(99, this.#serial + 1) : 0;
    this.#lastSeq = stamp;
    return `${stamp}${String(this.#serial).padStart(2, "0")}`;
  }
}
