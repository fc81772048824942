import type { Clock, Logger, Timer } from "@ims/runtime";
import { homesteadProblems } from "../../problems.ts";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";

const RETRY_MS = 500;

/** What must hold before subscribers are served from a store that may be away. Throws for what will not do. */
export type Condition = () => Promise<"proven" | Unavailable>;

/**
 * Closed until its conditions were seen to hold. While the store is away it tries on by itself; what will not do is
 * thrown when it is found at the start, and afterwards keeps the gate closed and says so.
 */
export class StoreGate {
  readonly #conditions: readonly Condition[];
  readonly #clock: Clock;
  readonly #log: Logger;
  #open = false;
  #why = "the store has not answered yet";
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    conditions: readonly Condition[],
    { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#conditions = conditions;
    this.#clock = clock;
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Why it is closed; undefined: it is open. */
  get reason(): string | undefined {
    return this.#open ? undefined : this.#why;
  }

  /** Tries once; goes on by itself when the store is away. */
  async start(): Promise<void> {
    if (!(await this.#holds())) this.#later();
  }

  stop(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #holds(): Promise<boolean> {
    for (const condition of this.#conditions) if ((await condition()) === UNAVAILABLE) return false;
    this.#open = true;
    return true;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(RETRY_MS, () => {
      this.#holds().then(
        (holds) => {
          if (!holds) this.#later();
          else this.#log.info({}, "the subscriber store is there");
        },
        (error: unknown) => {
          this.#why = error instanceof Error ? error.message : String(error);
          this.#log.error(
            { reason: this.#why, problemId: homesteadProblems.subscribersUnavailable.id },
            "no subscriber is served",
          );
        },
      );
    });
  }
}
