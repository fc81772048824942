/** Searches that may wait. */
const WAITING = 16;

/** Too many wait already. */
export class TurnsFullError extends Error {}

/** One search of the nodes at a time, whoever wants it: all others wait in line. */
export class Turns {
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Rejects with TurnsFullError when the line is too long. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING) throw new TurnsFullError();
    this.#waiting++;
    const turn = this.#line.then(work).finally(() => this.#waiting--);
    this.#line = turn.catch(() => undefined);
    return turn;
  }
}
