/** Counts what arrives and slows the event loop a little when much does. */
export interface LoopPacer {
  /** One message was read from a socket. */
  received(): void;
}

export interface LoopPacerOptions {
  /** Messages a second from which on the loop pauses between turns. */
  readonly aboveRate: number;
  /** Pause after a turn, ms; 0 switches pacing off. */
  readonly pauseMs: number;
}

/** The rate is measured over windows of this length. */
const WINDOW_MS = 50;

/**
 * Receive coalescing: a wake-up costs more than the message it brings, so under load the loop sleeps `pauseMs` after a
 * turn that brought something and finds several messages at once, on every socket of the process. Below the rate
 * nothing is delayed. The pause is far below the 20 ms that no turn may take.
 */
export function loopPacer({ aboveRate, pauseMs }: LoopPacerOptions): LoopPacer {
  if (pauseMs <= 0) return { received: () => undefined };
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const threshold = (aboveRate * WINDOW_MS) / 1000;
  let windowEnd = 0;
  let inWindow = 0;
  let busy = false;
  let scheduled = false;

  // The first immediate lets the turn's own flushes run, the second one pauses after them.
  const pause = (): void => {
    scheduled = false;
    if (busy) Atomics.wait(sleeper, 0, 0, pauseMs);
  };
  const afterFlush = (): void => {
    setImmediate(pause);
  };

  return {
    received() {
      inWindow++;
      if (scheduled) return;
      const now = performance.now();
      if (now >= windowEnd) {
        // A window that began long ago says nothing of now.
        busy = inWindow > threshold && now < windowEnd + WINDOW_MS;
        inWindow = 0;
        windowEnd = now + WINDOW_MS;
      }
      if (!busy) return;
      scheduled = true;
      setImmediate(afterFlush);
    },
  };
}
