/** Something with queued output. */
export interface Flushable {
  flush(): void;
}

/** Joins what one turn of the event loop queues: each connection marked meanwhile is flushed once, in one write. */
export class Flusher {
  #marked: Flushable[] = [];

  mark(one: Flushable): void {
    if (this.#marked.push(one) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const marked = this.#marked;
    this.#marked = [];
    for (const one of marked) one.flush();
  };
}
