import type { Problem, Severity } from "./problem.ts";

/** An entry of the alarm list (3GPP TS 28.532 AlarmRecord). Times are epoch milliseconds. */
export interface Alarm {
  /** In this process; counts from 1. */
  readonly alarmId: number;
  readonly problem: Problem;
  /** What of the node it is about: a peer, a file, a server; "" for the node itself. */
  readonly objectInstance: string;
  readonly perceivedSeverity: Severity;
  readonly additionalText: string;
  readonly alarmRaisedTime: number;
  readonly alarmChangedTime?: number;
  readonly alarmClearedTime?: number;
}

/** As it is told over HTTP: the definition goes along, so that nobody has to look it up. */
export interface AlarmRecord {
  readonly alarmId: number;
  readonly problemId: string;
  readonly specificProblem: string;
  readonly alarmType: string;
  readonly probableCause: string;
  readonly objectInstance: string;
  readonly perceivedSeverity: Severity | "CLEARED";
  readonly additionalText: string;
  /** RFC 3339, UTC. */
  readonly alarmRaisedTime: string;
  readonly alarmChangedTime?: string;
  readonly alarmClearedTime?: string;
  readonly summary: string;
  readonly cause: string;
  readonly effect: string;
  readonly proposedRepairActions: string;
}

export function alarmRecord(alarm: Alarm): AlarmRecord {
  const { problem, alarmChangedTime, alarmClearedTime } = alarm;
  return {
    alarmId: alarm.alarmId,
    problemId: problem.id,
    specificProblem: problem.name,
    alarmType: problem.type,
    probableCause: problem.probableCause,
    objectInstance: alarm.objectInstance,
    perceivedSeverity: alarmClearedTime === undefined ? alarm.perceivedSeverity : "CLEARED",
    additionalText: alarm.additionalText,
    alarmRaisedTime: timeText(alarm.alarmRaisedTime),
    ...(alarmChangedTime === undefined ? {} : { alarmChangedTime: timeText(alarmChangedTime) }),
    ...(alarmClearedTime === undefined ? {} : { alarmClearedTime: timeText(alarmClearedTime) }),
    summary: problem.summary,
    cause: problem.cause,
    effect: problem.effect,
    proposedRepairActions: problem.action,
  };
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
