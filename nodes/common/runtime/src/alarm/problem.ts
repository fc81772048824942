/** Perceived severity: ITU-T X.733 §8.1.2.3, 3GPP TS 32.111-2; worst first. Spelt as TS 28.532 has them on the wire. */
export const SEVERITIES = ["CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Alarm type: the event types of ITU-T X.733 §8.1.1. */
export const ALARM_TYPES = [
  "COMMUNICATIONS_ALARM",
  "QUALITY_OF_SERVICE_ALARM",
  "PROCESSING_ERROR_ALARM",
  "EQUIPMENT_ALARM",
  "ENVIRONMENTAL_ALARM",
] as const;
export type AlarmType = (typeof ALARM_TYPES)[number];

/** Those probable causes of ITU-T X.733 §8.1.2.1 that occur here, with their number in IANAItuProbableCause (RFC 3877). */
export const PROBABLE_CAUSES = {
  applicationSubsystemFailure: 158,
  communicationsProtocolError: 504,
  communicationsSubsystemFailure: 505,
  configurationOrCustomizationError: 506,
  congestion: 202,
  corruptData: 153,
  databaseInconsistency: 160,
  fileError: 161,
  queueSizeExceeded: 537,
  resourceAtOrNearingCapacity: 541,
  softwareProgramAbnormallyTerminated: 545,
  softwareProgramError: 546,
  storageCapacityProblem: 151,
  timingProblem: 550,
  underlyingResourceUnavailable: 554,
  versionMismatch: 166,
} as const;
export type ProbableCause = keyof typeof PROBABLE_CAUSES;

/** What may go wrong, and what an operator does about it. The id is for good: it is never used for anything else. */
export interface Problem {
  /** "TW-" and a number; the thousands say whose it is. */
  readonly id: string;
  /** Specific problem (X.733 §8.1.2.2), in words of a name: `hss-unreachable`. */
  readonly name: string;
  /** An alarm stays until it is cleared; an event happens, is logged, and is over. */
  readonly kind: "alarm" | "event";
  readonly type: AlarmType;
  readonly probableCause: ProbableCause;
  /** Unless whoever raises it knows better. */
  readonly severity: Severity;
  /** One line: what is wrong. */
  readonly summary: string;
  readonly cause: string;
  readonly effect: string;
  readonly action: string;
}

/** The problems of a package by the name its code has for them. */
export type Problems = Readonly<Record<string, Problem>>;
