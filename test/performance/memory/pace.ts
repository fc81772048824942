/** A second, by the clock of performance.now(). */
const SECOND = 1000;
/** Where it begins: a core that has just started compiles yet. */
const FIRST_SHARE = 0.1;
/** By which it grows in a second without trouble, and close to where there was some; what is left of it after one with trouble. */
const GROWTH = 1.1;
const CAREFUL_GROWTH = 1.01;
const CLOSE = 0.85;
const CUT = 0.7;
/** Who was refused comes back meanwhile (after 5 s at the earliest), and may be refused again for it, ms. */
const AFTERMATH = 8 * SECOND;
/** For so long after trouble, ms: it may have been the machine's, not the rate's. */
const CARE = 20 * SECOND;
const LEAST = 20;

/** Says when the next registration of a crowd begins. */
export interface Pacing {
  /** May one more begin? Counts it. `now`: performance.now(). */
  take(now: number): boolean;
  /** `troubles`: refusals and retransmissions so far. */
  tell(troubles: number, now: number): void;
}

/** So many a second, whatever the core says to it; what was late is made good at most a second's worth. */
export class Steady implements Pacing {
  readonly #rate: number;
  #due = 1;
  #lastLook: number;

  /** `rate`: registrations a second; `now`: performance.now(). */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#lastLook = now;
  }

  take(now: number): boolean {
    const more = ((now - this.#lastLook) / SECOND) * this.#rate;
    this.#due = Math.min(Math.max(1, this.#rate), this.#due + more);
    this.#lastLook = now;
    if (this.#due < 1) return false;
    this.#due -= 1;
    return true;
  }

  tell(): void {}
}

/**
 * How many registrations a second are begun: more from second to second, and fewer as soon as some are refused or not answered in time. Who
 * is refused comes back later and later, so that a crowd which begins at whatever rate is asked for takes far longer than one that does not.
 */
export class Pace implements Pacing {
  readonly #most: number;
  #rate: number;
  #due = 1;
  #lastLook: number;
  #judgeAt: number;
  #troubles = 0;
  /** Where there was trouble last. */
  #troubled = Number.POSITIVE_INFINITY;
  #troubledAt = Number.NEGATIVE_INFINITY;
  #cutAt = Number.NEGATIVE_INFINITY;
  /** How much of it. */
  #cutFor = 0;

  /** `most`: registrations a second, at most; `now`: performance.now(). */
  constructor(most: number, now: number) {
    this.#most = most;
    this.#rate = Math.min(most, Math.max(LEAST, most * FIRST_SHARE));
    this.#lastLook = now;
    this.#judgeAt = now + SECOND;
  }

  /** Registrations a second, now. */
  get rate(): number {
    return this.#rate;
  }

  /** May one more begin? Counts it. At most a tenth of a second's at once. */
  take(now: number): boolean {
    this.#look(now);
    if (this.#due < 1) return false;
    this.#due -= 1;
    return true;
  }

  /** `troubles`: refusals and retransmissions so far. */
  tell(troubles: number, now: number): void {
    if (now < this.#judgeAt) return;
    this.#judgeAt = now + SECOND;
    this.#look(now);
    const more = troubles - this.#troubles;
    this.#troubles = troubles;
    if (more === 0) {
      const careful = this.#rate >= CLOSE * this.#troubled && now - this.#troubledAt < CARE;
      this.#turnTo(this.#rate * (careful ? CAREFUL_GROWTH : GROWTH));
      return;
    }
    this.#troubledAt = now;
    if (more > this.#cutFor || now - this.#cutAt > AFTERMATH) {
      this.#troubled = this.#rate;
      this.#cutAt = now;
      this.#cutFor = more;
      this.#turnTo(this.#rate * CUT);
    }
  }

  #turnTo(rate: number): void {
    this.#rate = Math.min(this.#most, Math.max(LEAST, rate));
  }

  #look(now: number): void {
    this.#due = Math.min(
      Math.max(1, this.#rate / 10),
      this.#due + ((now - this.#lastLook) / SECOND) * this.#rate,
    );
    this.#lastLook = now;
  }
}
