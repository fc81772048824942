import type { Clock, Timer } from "@ims/runtime";

/** When a set is looked at again; a store-backed calendar can stand in its place. */
export interface ExpiryCalendar {
  /** Something of that set lapses then, ms since the epoch. An earlier entry for it stays: it is checked when it comes up. */
  schedule(impu: string, at: number): void;
  stop(): void;
}

/** Lapses handled side by side. */
const PARALLEL = 16;

export interface ExpiryWheelModules {
  readonly clock: Clock;
  /** Handles what is due; returns when to come back. A rejection is taken as "in a while". */
  readonly onDue: (impu: string) => Promise<number | undefined>;
}

/** Calendar in memory: sets in buckets of a second, one timer a process, and every entry checked against the live set. */
export class ExpiryWheel implements ExpiryCalendar {
  readonly #modules: ExpiryWheelModules;
  /** Bucket second of each set. */
  readonly #dueOf = new Map<string, number>();
  readonly #buckets = new Map<number, Set<string>>();
  #timer: Timer | undefined;
  #lastSecond: number;
  #stopped = false;

  constructor(modules: ExpiryWheelModules) {
    this.#modules = modules;
    this.#lastSecond = Math.floor(modules.clock.now() / 1000);
  }

  get size(): number {
    return this.#dueOf.size;
  }

  schedule(impu: string, at: number): void {
    if (this.#stopped) return;
    // Rounded up: never looked at before the time.
    const second = Math.max(Math.ceil(at / 1000), this.#lastSecond + 1);
    const before = this.#dueOf.get(impu);
    if (before !== undefined && before <= second) return;
    if (before !== undefined) this.#buckets.get(before)?.delete(impu);
    this.#dueOf.set(impu, second);
    const bucket = this.#buckets.get(second);
    if (bucket === undefined) this.#buckets.set(second, new Set([impu]));
    else bucket.add(impu);
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#dueOf.size === 0) return;
    const { clock } = this.#modules;
    this.#timer = clock.setTimer(1000 - (clock.now() % 1000), () => {
      this.#timer = undefined;
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    const now = Math.floor(this.#modules.clock.now() / 1000);
    const due: string[] = [];
    // Second by second; after a jump of the wall clock by the buckets there are.
    if (now - this.#lastSecond > this.#buckets.size) {
      for (const second of [...this.#buckets.keys()].sort((a, b) => a - b))
        if (second <= now) this.#collect(second, due);
    } else for (let second = this.#lastSecond + 1; second <= now; second++) this.#collect(second, due);
    this.#lastSecond = Math.max(now, this.#lastSecond);
    for (let lane = 0; lane < PARALLEL && lane < due.length; lane++) void this.#handle(due);
  }

  #collect(second: number, due: string[]): void {
    const bucket = this.#buckets.get(second);
    if (bucket === undefined) return;
    this.#buckets.delete(second);
    for (const impu of bucket) {
      this.#dueOf.delete(impu);
      due.push(impu);
    }
  }

  async #handle(due: string[]): Promise<void> {
    for (let impu = due.pop(); impu !== undefined; impu = due.pop()) {
      const { clock, onDue } = this.#modules;
      const again = await onDue(impu).catch(() => clock.now() + 30_000);
      if (again !== undefined) this.schedule(impu, again);
    }
  }
}
