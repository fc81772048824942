interface Place {
  readonly name: string;
  readonly ended: () => void;
}

/** Why there is none: somebody has as many as one may have, or all are taken and nobody has more than a fair share. */
export type NoPlace = "ownTaken" | "allTaken";

/**
 * Places that many share. When all are taken, whoever has most of them loses the oldest to who has at least two less: nobody keeps others out,
 * however many come first.
 */
export class Places {
  readonly #most: number;
  readonly #mostEach: number;
  /** The oldest first. */
  readonly #taken = new Set<Place>();

  constructor(limits: { readonly most: number; readonly mostEach: number }) {
    this.#most = limits.most;
    this.#mostEach = limits.mostEach;
  }

  /** Gives what gives the place back; `ended`: somebody else has got it. */
  enter(name: string, ended: () => void): (() => void) | NoPlace {
    const own = this.#countOf(name);
    if (own >= this.#mostEach) return "ownTaken";
    if (this.#taken.size >= this.#most) {
      const given = this.#given(own);
      if (given === undefined) return "allTaken";
      this.#taken.delete(given);
      given.ended();
    }
    const place = { name, ended };
    this.#taken.add(place);
    return () => void this.#taken.delete(place);
  }

  #given(own: number): Place | undefined {
    let [most, given]: [number, Place | undefined] = [own + 1, undefined];
    for (const place of this.#taken) {
      const count = this.#countOf(place.name);
      if (count > most) [most, given] = [count, place];
    }
    return given;
  }

  #countOf(name: string): number {
    let count = 0;
    for (const place of this.#taken) if (place.name === name) count++;
    return count;
  }
}
