/** Looks come every 50 ms, and timers sit on a wheel of 10: what is later than that has stood still. */
const LOOK_MS = 60;
/** A queue gets shorter by so much at two thirds of what can be done: 1/load - 1. */
const WORKED_OFF = 1 / 2;

/**
 * What is known of the wait in a queue from probes, of which one at a time stands in it. While one has not arrived, the wait of the one before is taken
 * to get shorter, as that of a process does which works off what came while it stood still.
 */
export class QueueWait {
  #longest = 0;
  #waited = 0;
  #since = 0;
  #lookedAt: number | undefined;

  /** A probe arrived; both in ms, `now` monotonic. */
  arrived(waitedMs: number, now: number): void {
    this.#longest = Math.max(this.#longest, waitedMs);
    this.#know(waitedMs, now);
  }

  /** The longest wait since the last look, ms. `waitingMs`: how long a probe has been waiting that has not arrived, 0 without one. */
  look(waitingMs: number, now: number): number {
    // Who comes so late has let a queue grow as long, whether a probe stands in it or not.
    const stood = now - (this.#lookedAt ?? now) - LOOK_MS;
    this.#lookedAt = now;
    if (stood > this.#workedOff(now)) this.#know(stood, now);
    const longest = Math.max(this.#longest, waitingMs, this.#workedOff(now));
    this.#longest = 0;
    return longest;
  }

  #know(waitedMs: number, now: number): void {
    this.#waited = waitedMs;
    this.#since = now;
  }

  #workedOff(now: number): number {
    return Math.max(0, this.#waited - WORKED_OFF * (now - this.#since));
  }
}
