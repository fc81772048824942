/** What a history may be refused for. */
export type Rule =
  | "binding lost"
  | "binding resurrected"
  | "not linearizable"
  | "not reachable"
  | "not answered"
  | "undecided"
  | "registration failed"
  | "registration helped by the UE"
  | "call lost"
  | "call cannot be ended"
  | "double effect";

export interface Violation {
  readonly rule: Rule;
  /** AoR, device or call. */
  readonly subject: string;
  readonly what: string;
}
