/** Something with queued output. */
export interface Flushable {
  flush(): void;
}

/**
 * Joins what one turn of the event loop queues: everything marked while timers and sockets are served is flushed once
 * in the check phase that follows, so that answers to many reads share one write per peer.
 */
export class Flusher {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  readonly #run = (): void => {
    const batch = this.#dirty;
    this.#dirty = this.#spare;
    this.#spare = batch;
    for (const one of batch) one.flush();
    batch.length = 0;
  };

  mark(one: Flushable): void {
    if (this.#dirty.push(one) === 1) setImmediate(this.#run);
  }
}
