import { type AlarmRecord, PROBABLE_CAUSES, type Problem } from "@ims/runtime";
import { MibView } from "./agentx/mib-view.ts";
import { indexOfOctets, type Oid, oidOf } from "./agentx/oid.ts";
import { octets, type Value, type VarBind } from "./agentx/value.ts";

/** RFC 3877: ALARM-MIB and ITU-ALARM-MIB. */
const ALARM_MIB = oidOf("1.3.6.1.2.1.118");
const ITU_ALARM_MIB = oidOf("1.3.6.1.2.1.121");
export const ALARM_SUBTREES: readonly Oid[] = [ALARM_MIB, ITU_ALARM_MIB];

const ACTIVE_STATE = [...ALARM_MIB, 0, 2];
const CLEAR_STATE = [...ALARM_MIB, 0, 3];
const MODEL_ENTRY = [...ALARM_MIB, 1, 1, 2, 1];
const ACTIVE_ENTRY = [...ALARM_MIB, 1, 2, 2, 1];
const ITU_ENTRY = [...ITU_ALARM_MIB, 1, 1, 1, 1];
const SNMP_TRAP_OID = oidOf("1.3.6.1.6.3.1.1.4.1.0");

/** alarmListName: one list, without a name. */
const LIST = indexOfOctets(Buffer.alloc(0));
const NOTHING: Value = { type: "oid", value: [0, 0] };
const NO_OCTETS: Value = { type: "octets", value: Buffer.alloc(0) };
const integer = (value: number): Value => ({ type: "integer", value });
const oid = (value: Oid): Value => ({ type: "oid", value });
const unsigned = (value: number): Value => ({ type: "gauge32", value });

/** alarmModelState and ItuPerceivedSeverity by severity: RFC 3877 §5. */
const STATES = {
  CLEARED: { state: 1, itu: 1 },
  INDETERMINATE: { state: 2, itu: 2 },
  WARNING: { state: 3, itu: 6 },
  MINOR: { state: 4, itu: 5 },
  MAJOR: { state: 5, itu: 4 },
  CRITICAL: { state: 6, itu: 3 },
} as const satisfies Record<AlarmRecord["perceivedSeverity"], { state: number; itu: number }>;
type State = keyof typeof STATES;

/** IANAItuEventType. */
const EVENT_TYPES: Readonly<Record<string, number>> = {
  COMMUNICATIONS_ALARM: 2,
  QUALITY_OF_SERVICE_ALARM: 3,
  PROCESSING_ERROR_ALARM: 4,
  EQUIPMENT_ALARM: 5,
  ENVIRONMENTAL_ALARM: 6,
};
const CAUSES: Readonly<Record<string, number>> = PROBABLE_CAUSES;

/** An alarm of one of the nodes, with a number of its own among those of all. */
export interface ActiveAlarm {
  /** alarmActiveIndex. */
  readonly index: number;
  /** Which node it is of. */
  readonly place: string;
  readonly record: Pick<
    AlarmRecord,
    "problemId" | "objectInstance" | "perceivedSeverity" | "additionalText" | "alarmRaisedTime" | "summary"
  >;
}

export type Definition = Pick<Problem, "id" | "type" | "probableCause" | "summary" | "action">;

/** The tables for these problems and alarms: alarmModelTable, alarmActiveTable, ituAlarmTable. */
export function alarmView(definitions: readonly Definition[], alarms: readonly ActiveAlarm[]): MibView {
  return new MibView([...definitions.flatMap(modelRows), ...alarms.flatMap(activeRow)]);
}

/** alarmActiveState, or alarmClearState: the objects that RFC 3877 wants, and what it is in words. */
export function notificationOf(alarm: ActiveAlarm): readonly VarBind[] {
  const cleared = alarm.record.perceivedSeverity === "CLEARED";
  const row = activeIndex(alarm);
  return [
    { name: SNMP_TRAP_OID, value: oid(cleared ? CLEAR_STATE : ACTIVE_STATE) },
    { name: [...ACTIVE_ENTRY, 13, ...row], value: oid(modelPointer(alarm)) },
    { name: [...ACTIVE_ENTRY, 10, ...row], value: NOTHING },
    { name: [...ACTIVE_ENTRY, 11, ...row], value: octets(describe(alarm)) },
  ];
}

function modelRows({ id, type, probableCause, summary, action }: Definition): VarBind[] {
  const model = numberOf(id);
  return Object.entries(STATES).flatMap(([name, { state, itu }]) => {
    const cleared = name === "CLEARED";
    const row = [...LIST, model, state];
    const ituRow = [...LIST, model, itu];
    const modelColumn = (column: number, value: Value): VarBind => ({
      name: [...MODEL_ENTRY, column, ...row],
      value,
    });
    const ituColumn = (column: number, value: Value): VarBind => ({
      name: [...ITU_ENTRY, column, ...ituRow],
      value,
    });
    return [
      modelColumn(3, oid(cleared ? CLEAR_STATE : ACTIVE_STATE)),
      modelColumn(4, unsigned(0)),
      modelColumn(5, integer(0)),
      modelColumn(6, octets(`${id} ${summary}${cleared ? ": it is over" : ""}`)),
      modelColumn(7, oid([...ITU_ENTRY, 2, ...ituRow])),
      modelColumn(8, NOTHING),
      modelColumn(9, NOTHING),
      modelColumn(10, integer(1)), // RowStatus: active
      ituColumn(2, integer(EVENT_TYPES[type] ?? 1)),
      ituColumn(3, integer(CAUSES[probableCause] ?? 0)),
      ituColumn(4, octets(action)),
      ituColumn(5, oid([...MODEL_ENTRY, 3, ...row])),
    ];
  });
}

function activeRow(alarm: ActiveAlarm): VarBind[] {
  const row = activeIndex(alarm);
  const column = (number: number, value: Value): VarBind => ({
    name: [...ACTIVE_ENTRY, number, ...row],
    value,
  });
  return [
    column(4, NO_OCTETS), // alarmActiveEngineID: this engine
    column(5, integer(0)),
    column(6, NO_OCTETS),
    column(7, NO_OCTETS),
    column(8, unsigned(0)),
    column(9, oid(ACTIVE_STATE)),
    column(10, NOTHING),
    column(11, octets(describe(alarm))),
    column(12, NOTHING),
    column(13, oid(modelPointer(alarm))),
    column(14, NOTHING),
  ];
}

/** alarmListName, alarmActiveDateAndTime, alarmActiveIndex. */
function activeIndex({ index, record }: ActiveAlarm): Oid {
  return [...LIST, ...indexOfOctets(dateAndTime(new Date(record.alarmRaisedTime))), index];
}

/** To alarmModelNotificationId of its problem in its state. */
function modelPointer({ record }: ActiveAlarm): Oid {
  const { state } = STATES[record.perceivedSeverity as State];
  return [...MODEL_ENTRY, 3, ...LIST, numberOf(record.problemId), state];
}

function describe({ place, record }: ActiveAlarm): string {
  const { problemId, objectInstance, perceivedSeverity, summary, additionalText } = record;
  const about = objectInstance === "" ? "" : ` ${objectInstance}:`;
  return `${place}: ${perceivedSeverity.toLowerCase()}: ${problemId} ${summary}:${about} ${additionalText}`;
}

/** RFC 2579 DateAndTime, UTC. */
export function dateAndTime(date: Date): Uint8Array {
  const year = date.getUTCFullYear();
  return Uint8Array.from([
    ...[year >> 8, year & 0xff, date.getUTCMonth() + 1, date.getUTCDate()],
    ...[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()],
    ...[Math.floor(date.getUTCMilliseconds() / 100), "+".charCodeAt(0), 0, 0],
  ]);
}

/** The number of "TW-2001" is alarmModelIndex. */
function numberOf(id: string): number {
  return Number(id.slice(id.indexOf("-") + 1));
}
