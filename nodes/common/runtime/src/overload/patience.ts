/** Of the patience, which is the target for new work: about what a turn of a busy loop takes. Who has waited no longer must not keep a limit going. */
const FREE = 1 / 5;

/**
 * Takes of the requests that have waited so long a share, evenly spread: all that have waited less than a fifth of the patience, then fewer and
 * fewer, none that has waited longer than all of it. With the queue's length the share falls, so that a queue finds the length at which what is
 * taken is what can be done; all or nothing at one threshold would swing, because a call's further messages come later.
 */
export class Patience {
  /** What the shares have added up to since one was taken last. */
  #due = 0;

  takes(waitedMs: number, patienceMs: number): boolean {
    const due = this.#due + Math.min(1, (1 - waitedMs / patienceMs) / (1 - FREE));
    const taken = due >= 1;
    this.#due = taken ? due - 1 : Math.max(0, due);
    return taken;
  }
}
