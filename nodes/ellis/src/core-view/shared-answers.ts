import type { Clock } from "@ims/runtime";

const MOST = 500;

/** One answer for all who ask for the same within a while, however many they are: the core is asked once. */
export class SharedAnswers {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #answers = new Map<string, { readonly answer: Promise<unknown>; until: number }>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** `whileMs`: how long it is good, from when it is there. `make` must not reject for an outage: that would be shared, too. */
  get<T>(key: string, whileMs: number, make: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && this.#clock.monotonic() < known.until) return known.answer as Promise<T>;
    const answer = make();
    const entry = { answer, until: Number.POSITIVE_INFINITY };
    this.#answers.delete(key);
    this.#answers.set(key, entry);
    const ended = (until: number): void => {
      entry.until = until;
    };
    answer.then(
      () => ended(this.#clock.monotonic() + whileMs),
      () => ended(0),
    );
    this.#forget();
    return answer;
  }

  /** What is over takes no room. */
  #forget(): void {
    const now = this.#clock.monotonic();
    for (const [key, { until }] of this.#answers)
      if (until <= now || this.#answers.size > MOST) this.#answers.delete(key);
  }
}
