import type { IncomingMessage } from "node:http";
import type { Clock, Timer } from "../clock.ts";

/** The right to be worked on. */
export interface Turn {
  end(): void;
}

export interface RequestTurnsOptions {
  readonly clock: Clock;
  readonly atOnce: number;
  readonly waiting: number;
  /** Nobody waits longer, ms. */
  readonly longestMs: number;
}

/** After so much work in one turn of the event loop others get to run, ms: Diameter and SIP of this process for one. */
const TURN_MS = 5;

interface Waiting {
  readonly since: number;
  readonly timer: Timer;
  readonly raw: IncomingMessage;
  readonly done: (turn: Turn | undefined) => void;
}

/**
 * So many requests are worked on at once, and in one turn of the event loop no more than it has time for. Others wait, those of each
 * client in their order, and clients take turns.
 */
export class RequestTurns {
  readonly #options: RequestTurnsOptions;
  /** By client, who is next first; none is empty. */
  readonly #queues = new Map<string, Waiting[]>();
  #working = 0;
  #waiting = 0;
  /** When the first request of this turn of the loop began; undefined: none has. */
  #turnBegan: number | undefined;

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Nobody may wait any more, or this client has half of the places already. */
  isFull(client: string): boolean {
    const { waiting } = this.#options;
    return this.#waiting >= waiting || (this.#queues.get(client)?.length ?? 0) >= waiting / 2;
  }

  /** How long who has waited longest has done so, ms. */
  longestWait(): number {
    if (this.#waiting === 0) return 0;
    let since = Number.POSITIVE_INFINITY;
    for (const [first] of this.#queues.values()) since = Math.min(since, first?.since ?? since);
    return this.#options.clock.monotonic() - since;
  }

  /** Undefined: it has waited too long, or there is no place to wait, or nobody waits for it any more. */
  take(client: string, raw: IncomingMessage): Promise<Turn | undefined> {
    const { clock, atOnce, longestMs } = this.#options;
    if (this.#working < atOnce && this.#waiting === 0 && this.#hasTime())
      return Promise.resolve(this.#begin());
    if (this.isFull(client)) return Promise.resolve(undefined);
    return new Promise((done) => {
      const one: Waiting = {
        since: clock.monotonic(),
        timer: clock.setTimer(longestMs, () => this.#leave(client, one)),
        raw,
        done,
      };
      const queue = this.#queues.get(client);
      if (queue === undefined) this.#queues.set(client, [one]);
      else queue.push(one);
      this.#waiting++;
    });
  }

  #begin(): Turn {
    this.#working++;
    let ended = false;
    return {
      end: () => {
        if (ended) return;
        ended = true;
        this.#working--;
        this.#next();
      },
    };
  }

  /** In this turn of the loop; those that wait go on in the next one. */
  #hasTime(): boolean {
    const now = this.#options.clock.monotonic();
    if (this.#turnBegan !== undefined) return now - this.#turnBegan < TURN_MS;
    this.#turnBegan = now;
    setImmediate(() => {
      this.#turnBegan = undefined;
      this.#next();
    });
    return true;
  }

  /** One of those that wait: its work is done before it is known whether there is time for another. */
  #next(): void {
    while (this.#waiting > 0 && this.#working < this.#options.atOnce && this.#hasTime()) {
      const one = this.#shift();
      if (one === undefined) return;
      // Nobody would hear the answer of a connection that has ended.
      if (one.raw.socket.destroyed) one.done(undefined);
      else return one.done(this.#begin());
    }
  }

  #shift(): Waiting | undefined {
    const [first] = this.#queues;
    if (first === undefined) return undefined;
    const [client, queue] = first;
    const one = queue.shift();
    // Who was served comes last.
    this.#queues.delete(client);
    if (queue.length > 0) this.#queues.set(client, queue);
    if (one === undefined) return undefined;
    this.#waiting--;
    one.timer.cancel();
    return one;
  }

  #leave(client: string, one: Waiting): void {
    const queue = this.#queues.get(client);
    const at = queue?.indexOf(one) ?? -1;
    if (queue === undefined || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(client);
    this.#waiting--;
    one.done(undefined);
  }
}
