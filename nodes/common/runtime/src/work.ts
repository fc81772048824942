/** Work that takes long, in pieces: where it yields, the event loop may go on. */
export type Work<T> = Generator<undefined, T, undefined>;

/** Between turns of the event loop, ms: a tenth of the longest stall there may be. */
const SLICE_MS = 2;

/** All of it now: for programs that have nothing else to do. */
export function atOnce<T>(work: Work<T>): T {
  for (;;) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
  }
}

/** So that the event loop goes on: no longer than a slice, and the piece that is under way, in one turn of it. */
export async function inSlices<T>(work: Work<T>, sliceMs: number = SLICE_MS): Promise<T> {
  for (let began = performance.now(); ; ) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
    if (performance.now() - began < sliceMs) continue;
    await nextTurn();
    began = performance.now();
  }
}

/** Works one after the other, in slices: however many there are, a turn of the event loop has a slice of one of them. */
export class Slices {
  #line: Promise<unknown> = Promise.resolve();

  run<T>(work: Work<T>): Promise<T> {
    const done = this.#line.then(() => inSlices(work));
    // Two that are short would share a turn.
    this.#line = done.then(nextTurn, nextTurn);
    return done;
  }
}

/** What else is waiting is done first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
