/** Something with queued output. */
export interface Flushable {
  flush(): void;
}

let marked: Flushable[] = [];
let spare: Flushable[] = [];

/**
 * Joins what one turn of the event loop queues: everything marked while timers and sockets are served is flushed once in the check phase that
 * follows, so that answers to many reads share one write for each peer. One list for the process, as there is one loop.
 */
export function flushAtTurnEnd(one: Flushable): void {
  if (marked.push(one) === 1) setImmediate(flushNow);
}

/** Flushes what is marked at once: the loop is about to stand still. */
export function flushNow(): void {
  const batch = marked;
  marked = spare;
  spare = batch;
  let flushed = 0;
  try {
    while (flushed < batch.length) batch[flushed++]?.flush();
  } finally {
    // One that throws keeps nobody else from being flushed.
    for (const left of batch.splice(flushed)) flushAtTurnEnd(left);
    batch.length = 0;
  }
}
