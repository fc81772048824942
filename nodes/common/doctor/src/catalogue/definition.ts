/** `outcome`: an ordinary end of a call, nothing is wrong. `notice`: worth knowing, also when all went well. */
export type Severity = "failure" | "outcome" | "notice";

/** Chapters of the troubleshooting page. */
export const areas = ["registration", "authentication", "call", "network"] as const;
export type Area = (typeof areas)[number];

/** A named diagnosis: what can be said of it before it has happened to anybody. */
export interface DiagnosisDefinition {
  readonly area: Area;
  readonly severity: Severity;
  /** In one line. */
  readonly title: string;
  /** What its user, or who looks at messages, sees of it. */
  readonly symptom: string;
  /** What is behind it, the most frequent first. */
  readonly cause: string;
  /** What to do, step by step. */
  readonly remedy: readonly string[];
  /** Where it is specified. */
  readonly clauses: readonly string[];
}

export type DiagnosisDefinitions = Readonly<Record<string, DiagnosisDefinition>>;
