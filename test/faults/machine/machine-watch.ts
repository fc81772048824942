import { monitorEventLoopDelay } from "node:perf_hooks";
import { processorTime, stolenBetween } from "../../support/stolen-time.ts";

const RESOLUTION_MS = 10;

/** What the machine did to a run: where either is large, its times say little of the core. */
export interface MachineFigures {
  /** How late timers of this process were, ms. */
  readonly lag: { readonly p99: number; readonly worst: number };
  /** Share of all processor time that the host gave to other machines, 0 to 1. */
  readonly stolen: number;
}

export const UNDISTURBED: MachineFigures = { lag: { p99: 0, worst: 0 }, stolen: 0 };

/** Watches from its making until `end`. */
export class MachineWatch {
  readonly #lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #before = processorTime();

  constructor() {
    this.#lag.enable();
  }

  end(): MachineFigures {
    this.#lag.disable();
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      lag: { p99: late(this.#lag.percentile(99)), worst: late(this.#lag.max) },
      stolen: stolenBetween(this.#before, processorTime()),
    };
  }
}
