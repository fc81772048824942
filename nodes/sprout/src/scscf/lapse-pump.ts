import type { Clock, Timer } from "@ims/runtime";

const TICK_MS = 50;
const PARALLEL = 32;
const AGAIN_MS = 30_000;

export interface LapsePumpModules {
  readonly clock: Clock;
  readonly perSecond: number;
  /** False when it has to be tried again; a rejection counts as false. */
  readonly handle: (key: string) => Promise<boolean>;
}

/** Looks at one set after the other, so many a second: ten thousand that lapse together do not stop anything else. */
export class LapsePump {
  readonly #modules: LapsePumpModules;
  /** Key to those who want to hear that it is done. One look serves all of them. */
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #later = new Map<string, { readonly timer: Timer; readonly done: (() => void)[] }>();
  #running = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(modules: LapsePumpModules) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#waiting.size + this.#running + this.#later.size;
  }

  add(key: string, done: () => void): void {
    if (this.#stopped) return;
    const others = this.#waiting.get(key);
    if (others === undefined) this.#waiting.set(key, [done]);
    else others.push(done);
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { timer } of this.#later.values()) timer.cancel();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#waiting.size === 0) return;
    this.#timer = this.#modules.clock.setTimer(TICK_MS, () => {
      this.#timer = undefined;
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    let room = Math.min(Math.ceil((this.#modules.perSecond * TICK_MS) / 1000), PARALLEL - this.#running);
    for (const [key, done] of this.#waiting) {
      if (room-- <= 0) return;
      this.#waiting.delete(key);
      void this.#run(key, done);
    }
  }

  async #run(key: string, done: readonly (() => void)[]): Promise<void> {
    this.#running++;
    const handled = await this.#modules.handle(key).catch(() => false);
    this.#running--;
    if (handled) for (const tell of done) tell();
    else this.#again(key, done);
  }

  #again(key: string, done: readonly (() => void)[]): void {
    if (this.#stopped) return;
    const before = this.#later.get(key);
    if (before !== undefined) return void before.done.push(...done);
    const all = [...done];
    const timer = this.#modules.clock.setTimer(AGAIN_MS, () => {
      this.#later.delete(key);
      for (const tell of all) this.add(key, tell);
    });
    this.#later.set(key, { timer, done: all });
  }
}
