import type { Clock, Timer } from "@ims/runtime";

/** "wait": the store is still away, the rest of the round would fail too. */
export type RetryOutcome = "done" | "again" | "wait";

const PARALLEL = 8;
const PER_ROUND = 200;

export interface RetryQueueModules<T> {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Keys waited for at most; further ones are refused. */
  readonly limit: number;
  /** A rejection counts as "again". */
  readonly work: (key: string, value: T) => Promise<RetryOutcome>;
}

/** Work by key that is tried again and again until it is done: of one key only the last counts. */
export class RetryQueue<T> {
  readonly #modules: RetryQueueModules<T>;
  readonly #waiting = new Map<string, T>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(modules: RetryQueueModules<T>) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False when there is no room. */
  add(key: string, value: T): boolean {
    if (this.#waiting.size >= this.#modules.limit && !this.#waiting.has(key)) return false;
    this.#waiting.set(key, value);
    this.#arm();
    return true;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#waiting.size === 0) return;
    const { clock, intervalMs } = this.#modules;
    this.#timer = clock.setTimer(intervalMs, () => {
      void this.#round().finally(() => {
        this.#timer = undefined;
        this.#arm();
      });
    });
  }

  async #round(): Promise<void> {
    const keys: string[] = [];
    for (const key of this.#waiting.keys()) {
      if (keys.length === PER_ROUND) break;
      keys.push(key);
    }
    let away = false;
    const lane = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined && !away && !this.#stopped; key = keys.pop()) {
        const value = this.#waiting.get(key);
        if (value === undefined) continue;
        const outcome = await this.#modules.work(key, value).catch(() => "again" as const);
        // What was added meanwhile is another round's.
        if (outcome === "done" && this.#waiting.get(key) === value) this.#waiting.delete(key);
        if (outcome === "wait") away = true;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));
  }
}
