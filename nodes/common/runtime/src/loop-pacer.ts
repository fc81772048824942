import { performance } from "node:perf_hooks";
import { flushNow } from "./turn-end.ts";

/** Counts what arrives and slows the event loop a little when much does. */
export interface LoopPacer {
  /** One message was read from a socket. */
  received(): void;
}

export interface LoopPacerOptions {
  /** Messages a second from which on the loop pauses between turns. */
  readonly aboveRate: number;
  /** Longest pause after a turn, ms; 0 switches pacing off. */
  readonly pauseMs: number;
}

/** What a turn should find when the loop has nothing else to do: more saves little. */
const MESSAGES_PER_TURN = 12;

/** A turn that brought so many had a queue before it: the loop is the bottleneck, and a pause would only make the queue longer. */
const SATURATED = 4 * MESSAGES_PER_TURN;

/** Of its time: a loop with less to spare does not pause. It would gather nothing, and to fall asleep and be woken takes as long. */
const LEAST_FREE = 0.1;

/** The rate is measured over windows of this length. */
const WINDOW_MS = 50;

/**
 * Receive coalescing: a wake-up costs more than the message it brings, and what runs after one finds its code and data gone
 * from the processor's caches. So under load the loop sleeps after a turn that brought something, as long as it takes a dozen
 * messages to arrive, `pauseMs` at most, on every socket of the process; and shorter, the fuller the loop's time is, because messages meet in a busy
 * loop anyway, and a registration waits for eight turns. Below the rate nothing is delayed. The pause is far
 * below the 20 ms that no turn may take. `sleep` stands still for so many ms; `idleMs` is how long the loop has had nothing to do since it began.
 */
export function loopPacer(
  { aboveRate, pauseMs }: LoopPacerOptions,
  sleep: (ms: number) => void = standStill(),
  idleMs: () => number = () => performance.eventLoopUtilization().idle,
): LoopPacer {
  if (pauseMs <= 0) return { received: () => undefined };
  const threshold = (aboveRate * WINDOW_MS) / 1000;
  let windowEnd = 0;
  let inWindow = 0;
  let slept = 0;
  let idleBefore = 0;
  /** 0 below the rate. */
  let pause = 0;
  let scheduled = false;
  let inTurn = 0;

  // The first immediate lets what the turn has queued run (a commit, say), the second one pauses. What was read or answered between them
  // leaves before the pause: else it would wait for all of it.
  const endTurn = (): void => {
    scheduled = false;
    if (pause === 0 || inTurn >= SATURATED) return;
    flushNow();
    const began = performance.now();
    sleep(pause);
    // Not what was asked for: it is woken late.
    slept += performance.now() - began;
  };
  const afterFlush = (): void => {
    setImmediate(endTurn);
  };

  return {
    received() {
      inWindow++;
      inTurn++;
      if (scheduled) return;
      inTurn = 1;
      const now = performance.now();
      if (now >= windowEnd) {
        // A window that began long ago says nothing of now.
        const busy = inWindow > threshold && now < windowEnd + WINDOW_MS;
        const idle = idleMs();
        // To the engine a pause is work.
        const free = Math.min(1, (idle - idleBefore + slept) / (now - windowEnd + WINDOW_MS));
        pause =
          busy && free > LEAST_FREE
            ? Math.min(pauseMs, (MESSAGES_PER_TURN * WINDOW_MS) / inWindow) * free
            : 0;
        [inWindow, slept, idleBefore] = [0, 0, idle];
        windowEnd = now + WINDOW_MS;
      }
      if (pause === 0) return;
      scheduled = true;
      setImmediate(afterFlush);
    },
  };
}

function standStill(): (ms: number) => void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  return (ms) => void Atomics.wait(never, 0, 0, ms);
}
