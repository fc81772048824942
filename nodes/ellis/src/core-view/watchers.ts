/** Streams that are open at a time: of all, and of one of the staff. */
const MOST = 64;
const MOST_EACH = 8;

/** Who has streams open: nobody takes all of them. */
export class Watchers {
  readonly #open = new Map<string, number>();
  #all = 0;

  /** Undefined: too many already. Else what gives the place back, once. */
  enter(name: string): (() => void) | undefined {
    const own = this.#open.get(name) ?? 0;
    if (this.#all >= MOST || own >= MOST_EACH) return undefined;
    this.#all++;
    this.#open.set(name, own + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#all--;
      const now = (this.#open.get(name) ?? 1) - 1;
      if (now === 0) this.#open.delete(name);
      else this.#open.set(name, now);
    };
  }
}
