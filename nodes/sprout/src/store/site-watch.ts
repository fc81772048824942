import type { Clock, Timer } from "@ims/runtime";
import {
  MOVED_SECONDS,
  type Moved,
  type MovedResult,
  type MovedSets,
  type Scope,
  slotOf,
  type TwoSites,
} from "./moved-sets.ts";

/** So long a set that has moved is still looked for where it was. */
const EVERY_MS = 500;
/** Read again each time, for what was told slowly and clocks that differ. */
const OVERLAP_MS = 10_000;
/** Who has not listened for longer knows too little of its own sets. */
const LATE_MS = 30_000;
const PARALLEL = 16;

/**
 * What this site has to know of the other one: whether its stores answer, and which sets have moved there. Until all that was told
 * while nobody listened has been read, at the start and after the sites were cut off from each other, nothing here is trusted.
 */
export class SiteWatch {
  /** Name of this site. */
  readonly name: string;
  readonly #moved: MovedSets;
  readonly #clock: Clock;
  #onMoved: (moved: Moved) => Promise<void> = () => Promise.resolve();
  #answers = true;
  #trusted = false;
  /** All that was told before has been read: from both sites, and from the stores of this one. */
  #bothUntil = 0;
  #hereUntil = 0;
  /** What has been handled and will be read again, with when it was told. */
  readonly #handled = new Map<string, number>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor({ name, moved }: TwoSites, clock: Clock) {
    this.name = name;
    this.#moved = moved;
    this.#clock = clock;
  }

  /** Whether the stores of the other site answer, as far as is known. */
  get answers(): boolean {
    return this.#answers;
  }

  /** What was written here last is as it was left: all that has moved away is known. */
  get trusted(): boolean {
    return this.#trusted;
  }

  /** A read of both sites has failed. */
  failed(): void {
    this.#answers = false;
  }

  /** A set that was at the site `from` last is changed here, from what it was at the stamp `base`. */
  async tell(from: string, key: string, base: number): Promise<"stored" | "unavailable"> {
    return (await this.#moved.add(from, { key, by: this.name, at: this.#clock.now(), base })).kind;
  }

  /** `onMoved` hears at least once of each set that has moved away. */
  start(onMoved: (moved: Moved) => Promise<void>): void {
    this.#onMoved = onMoved;
    this.#bothUntil = this.#clock.now() - MOVED_SECONDS * 1000;
    this.#hereUntil = this.#bothUntil;
    void this.#goOn();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #goOn(): Promise<void> {
    // Whatever was not handled is read again the next time.
    await this.#round().catch(() => undefined);
    if (!this.#stopped) this.#timer = this.#clock.setTimer(EVERY_MS, () => void this.#goOn());
  }

  async #round(): Promise<void> {
    const now = this.#clock.now();
    const both = await this.#listen("both", this.#bothUntil - OVERLAP_MS, now);
    if (both) this.#bothUntil = now;
    // What the other site told before it went is here all the same.
    else if (!(await this.#listen("here", this.#hereUntil - OVERLAP_MS, now))) return;
    if (this.#stopped) return;
    this.#hereUntil = now;
    this.#answers = both;
    // Of a site that is away nothing is to be known, and this one goes on.
    this.#trusted = true;
    for (const [name, at] of this.#handled) if (at < this.#bothUntil - OVERLAP_MS) this.#handled.delete(name);
  }

  /** False when those stores do not answer. */
  async #listen(scope: Scope, since: number, now: number): Promise<boolean> {
    if (scope === "here") this.#answers = false;
    const slots = Array.from({ length: slotOf(now) - slotOf(since) + 1 }, (_, i) => slotOf(since) + i);
    for (let from = 0; from < slots.length && !this.#stopped; from += PARALLEL) {
      const pages: MovedResult[] = await Promise.all(
        slots.slice(from, from + PARALLEL).map((slot) => this.#moved.read(this.name, slot, since, scope)),
      );
      for (const page of pages) {
        if (page.kind === "unavailable") return false;
        if (scope === "both" && now - since > LATE_MS) this.#trusted = false;
        await this.#handle(page.moved);
      }
    }
    return true;
  }

  async #handle(moved: readonly Moved[]): Promise<void> {
    const left = moved.filter((one) => !this.#handled.has(nameOf(one)));
    const lane = async (): Promise<void> => {
      for (let one = left.pop(); one !== undefined && !this.#stopped; one = left.pop()) {
        await this.#onMoved(one);
        this.#handled.set(nameOf(one), one.at);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, left.length) }, lane));
  }
}

function nameOf({ key, by, at }: Moved): string {
  return `${at} ${by} ${key}`;
}
