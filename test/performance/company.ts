import type { RunningSipp } from "../support/sipp.ts";

/** What is at work with a core without being of it. */
export interface Company {
  /** What `tidewater up` is told of it. */
  readonly args: readonly string[];
  /** Of these the CPU is reported with that of the UEs. */
  readonly sipps: readonly RunningSipp[];
  end(): Promise<void>;
}
