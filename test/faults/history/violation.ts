/** What a history may be refused for. */
export type Rule =
  | "binding lost"
  | "binding resurrected"
  | "not linearizable"
  | "not reachable"
  | "not answered"
  | "stores differ"
  | "undecided"
  | "registration failed"
  | "registration helped by the UE"
  | "call lost"
  | "call helped by the UE"
  | "call cannot be ended"
  | "double effect"
  | "slower than promised"
  | "too little done";

/** What a machine without enough of its processors can bring about by itself; the others are the core's in any case. */
export const OF_TIME: ReadonlySet<Rule> = new Set<Rule>([
  "registration failed",
  "registration helped by the UE",
  "call lost",
  "call helped by the UE",
  "call cannot be ended",
  "slower than promised",
  "too little done",
]);

export interface Violation {
  readonly rule: Rule;
  /** AoR, device or call. */
  readonly subject: string;
  readonly what: string;
}
