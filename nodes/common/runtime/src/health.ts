/** starting -> ready -> quiescing; failed may come from anywhere and is final. */
export type HealthState = "starting" | "ready" | "quiescing" | "failed";

/** What a load balancer may know: "ready" is the only state that wants new work. */
export interface Health {
  readonly state: HealthState;
  set(state: HealthState): void;
  /**
   * Adds a condition: while `check` returns a reason, the process is not ready. Returns what removes it.
   * Called on every readiness request, so it must be cheap.
   */
  addCheck(name: string, check: () => string | undefined): () => void;
  /** Reasons why there is no readiness; empty when ready. */
  reasons(): string[];
  /** Like a check, of what an operator should know although the process can serve. */
  addNote(name: string, note: () => string | undefined): () => void;
  notes(): string[];
}

export function createHealth(): Health {
  let state: HealthState = "starting";
  const checks = new Map<string, () => string | undefined>();
  const notes = new Map<string, () => string | undefined>();
  return {
    get state() {
      return state;
    },
    set(next) {
      if (state !== "failed") state = next;
    },
    addCheck(name, check) {
      checks.set(name, check);
      return () => void checks.delete(name);
    },
    reasons() {
      const reasons: string[] = state === "ready" ? [] : [state];
      for (const [name, check] of checks) {
        const reason = check();
        if (reason !== undefined) reasons.push(`${name}: ${reason}`);
      }
      return reasons;
    },
    addNote(name, note) {
      notes.set(name, note);
      return () => void notes.delete(name);
    },
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
