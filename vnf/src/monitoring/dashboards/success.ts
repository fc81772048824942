import { perSecond, share } from "../promql.ts";

/** Success rate of procedures as TS 32.409 counts them, 0 to 1. */
export function successOf(procedure: string, by: readonly string[] = []): string {
  return share(
    perSecond("ims_sprout_procedure_successes_total", { procedure }, by),
    perSecond("ims_sprout_procedure_attempts_total", { procedure }, by),
  );
}
