import { MOST_STOLEN } from "../../test/support/stolen-time.ts";
import type { FileRun } from "./run-file.ts";

/** When more files fail, it is not the machine. */
const MOST_FILES = 12;
/** A file runs so often at most. */
export const TRIES = 3;

/**
 * Files to run again, of all that ran: those that failed while the host gave the processor to other machines. Elsewhere a
 * failure is one at once.
 */
export function filesToRunAgain(runs: readonly FileRun[]): FileRun[] {
  const failed = runs.filter(({ failures }) => failures.length > 0);
  if (failed.length > MOST_FILES) return [];
  return failed.filter(({ stolen }) => stolen > MOST_STOLEN);
}

/** What is told of a file that failed first and passed later. */
export function toldOfSecondTry(tries: readonly FileRun[]): string {
  const shares = tries.map(({ stolen }) => `${Math.round(stolen * 100)} %`).join(", then ");
  const names = tries.flatMap(({ failures }) => failures);
  return `${tries[0]?.file}: try ${tries.length} passed; stolen ${shares}; failed before: ${[...new Set(names)].join("; ")}`;
}
