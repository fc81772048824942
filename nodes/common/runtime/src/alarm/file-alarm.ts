import { runtimeProblems } from "../problems.ts";
import type { AlarmList } from "./alarm-list.ts";
import type { Problem } from "./problem.ts";

/** Alarm for a file of the operator while what it says is not what is in force. `source`: who follows it; undefined: nobody. */
export function watchFile(
  alarms: AlarmList,
  file: string,
  source: { readonly problem: string | undefined } | undefined,
  problem: Problem = runtimeProblems.fileRefused,
): void {
  if (source === undefined) return;
  alarms.watch(problem, () => {
    const text = source.problem;
    return text === undefined ? undefined : { object: file, text };
  });
}
