import type { Clock } from "../clock.ts";

export interface FileAllowanceOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Files a second for one client, and for all. */
  readonly each: number;
  readonly all: number;
}

const SECOND_MS = 1_000;

/**
 * Files that are sent whatever the delay is. One that lies in memory costs about as much as its refusal, and a page that lacks one of
 * its files shows nothing: to refuse them would save nothing and lose all. So many a second to one client and to all.
 */
export class FileAllowance {
  readonly #options: FileAllowanceOptions;
  readonly #taken = new Map<string, number>();
  #all = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor(options: FileAllowanceOptions) {
    this.#options = options;
  }

  takes(client: string): boolean {
    const { clock, each, all } = this.#options;
    const now = clock.monotonic();
    if (now - this.#since >= SECOND_MS) {
      this.#since = now;
      this.#all = 0;
      this.#taken.clear();
    }
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= each || this.#all >= all) return false;
    this.#all++;
    this.#taken.set(client, taken + 1);
    return true;
  }
}
