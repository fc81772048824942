/**
 * Takes of the requests that have waited so long the share 1 - waited / patience, evenly spread: all that come at once, half of those
 * that have waited half the patience, none that has waited longer. With the queue's length the share falls, so that a queue finds the length at
 * which what is taken is what can be done; all or nothing at one threshold would swing, because a call's further messages come later.
 */
export class Patience {
  /** What the shares have added up to since one was taken last. */
  #due = 0;

  takes(waitedMs: number, patienceMs: number): boolean {
    const due = this.#due + 1 - Math.max(0, waitedMs) / patienceMs;
    const taken = due >= 1;
    this.#due = taken ? due - 1 : Math.max(0, due);
    return taken;
  }
}
