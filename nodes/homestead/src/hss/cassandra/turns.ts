import type { Clock } from "@ims/runtime";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";

/** More that wait for one subscriber are a flood, and would be too late anyway. */
const MAX_WAITING = 32;
/** Who asked has given up by then: the store is slow or away. */
const MAX_WAIT_MS = 1000;

type Queue = { last: Promise<unknown>; length: number };

/**
 * One at a time for each subscriber: procedures of one homestead do not overtake each other, so that a transaction is
 * lost to another homestead at most.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Unavailable when too many wait already, or it took too long. */
  take<T>(key: string, work: () => T | Promise<T>): Promise<T | Unavailable> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length >= MAX_WAITING) return Promise.resolve(UNAVAILABLE);
    this.#queues.set(key, queue);
    queue.length++;
    const late = this.#clock.monotonic() + MAX_WAIT_MS;
    const turn = queue.last.then(() => (this.#clock.monotonic() > late ? UNAVAILABLE : work()));
    queue.last = turn
      .catch(() => undefined) // whoever took the turn is told
      .then(() => {
        if (--queue.length === 0) this.#queues.delete(key);
      });
    return turn;
  }
}
