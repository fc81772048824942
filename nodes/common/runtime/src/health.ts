import { type AlarmList, alarmList } from "./alarm/alarm-list.ts";
import type { Problem } from "./alarm/problem.ts";

/** starting -> ready -> quiescing; failed may come from anywhere and is final. */
export type HealthState = "starting" | "ready" | "quiescing" | "failed";

/** What a load balancer may know: "ready" is the only state that wants new work. */
export interface Health {
  readonly state: HealthState;
  set(state: HealthState): void;
  /**
   * Adds a condition: while `check` returns a reason, the process is not ready. Returns what removes it.
   * Called on every readiness request, so it must be cheap. With a problem it is an alarm too.
   */
  addCheck(name: string, check: () => string | undefined, problem?: Problem): () => void;
  /** Reasons why there is no readiness; empty when ready. */
  reasons(): string[];
  /** Like a check, of what an operator should know although the process can serve. */
  addNote(name: string, note: () => string | undefined, problem?: Problem): () => void;
  notes(): string[];
  /** What an operator has to act on. */
  readonly alarms: AlarmList;
}

export function createHealth(alarms: AlarmList = alarmList()): Health {
  let state: HealthState = "starting";
  const checks = new Map<string, () => string | undefined>();
  const notes = new Map<string, () => string | undefined>();
  const add = (
    to: Map<string, () => string | undefined>,
    name: string,
    condition: () => string | undefined,
    problem: Problem | undefined,
  ): (() => void) => {
    to.set(name, condition);
    const end = problem === undefined ? undefined : alarms.watch(problem, condition);
    return () => {
      to.delete(name);
      end?.();
    };
  };
  return {
    alarms,
    get state() {
      return state;
    },
    set(next) {
      if (state !== "failed") state = next;
    },
    addCheck: (name, check, problem) => add(checks, name, check, problem),
    reasons() {
      const reasons: string[] = state === "ready" ? [] : [state];
      for (const [name, check] of checks) {
        const reason = check();
        if (reason !== undefined) reasons.push(`${name}: ${reason}`);
      }
      return reasons;
    },
    addNote: (name, note, problem) => add(notes, name, note, problem),
    notes() {
      const all: string[] = [];
      for (const [name, note] of notes) {
        const text = note();
        if (text !== undefined) all.push(`${name}: ${text}`);
      }
      return all;
    },
  };
}
