import { OpenStackError } from "../openstack/errors.ts";
import type { Pace } from "../openstack/pace.ts";

/** How an operation on a VNF ended. */
export type Outcome =
  | {
      readonly kind: "done";
      /** False: everything was as it should be before. */
      readonly changed: boolean;
      readonly said: string;
    }
  | {
      readonly kind: "failed";
      readonly reason: string;
      /** What of the VNF exists now. */
      readonly exists: readonly string[];
      /** Commands or deeds that lead on. */
      readonly next: readonly string[];
    };

/** What an operation reports while it runs. */
export type Progress = (line: string) => void;

/** What every operation is given. */
export interface Run {
  readonly pace: Pace;
  readonly progress: Progress;
  /** How much of something is done: for a bar that is written over. Without it, lines of progress say that too. */
  readonly amount?: (what: string, done: number, total: number) => void;
  /** Longest the operation may wait for the cloud, all its steps together. */
  readonly timeoutMs: number;
  /** Aborted: nothing new is begun; what the cloud has begun goes on. */
  readonly signal?: AbortSignal;
}

export function done(said: string, changed = true): Outcome {
  return { kind: "done", changed, said };
}

export function failed(
  reason: string,
  exists: readonly string[] = [],
  next: readonly string[] = [],
): Outcome {
  return { kind: "failed", reason, exists, next };
}

/** A fault of the cloud as an outcome; anything else is a fault of ours and thrown on. */
export async function orFailed(
  operation: () => Promise<Outcome>,
  exists: () => Promise<readonly string[]>,
  next: readonly string[],
  signal?: AbortSignal,
): Promise<Outcome> {
  try {
    return await operation();
  } catch (error) {
    if (signal?.aborted === true)
      return failed("interrupted; what the cloud has begun goes on without us", [], next);
    if (!(error instanceof OpenStackError)) throw error;
    let state: readonly string[];
    try {
      state = await exists();
    } catch (second) {
      if (!(second instanceof OpenStackError)) throw second;
      state = ["not known: the cloud does not say"];
    }
    return failed(error.message, state, next);
  }
}
