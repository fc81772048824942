import type { Pace } from "../src/openstack/pace.ts";

/** Time that passes only when someone waits; whoever has something to do meanwhile does it then. */
export class FakePace implements Pace {
  #now = Date.parse("2026-11-21T10:00:00Z");
  readonly slept: number[] = [];
  readonly #onSleep: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  whileWaiting(work: () => void): void {
    this.#onSleep.push(work);
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
    for (const work of this.#onSleep) work();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}
