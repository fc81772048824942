import type { ChargingEvent, ChargingRole } from "@ims/ims";
import type {
  AccountingRecord,
  DialogSessions,
  RecordType,
  RoleSession,
  SessionFacts,
} from "./charging-session.ts";

export interface AccountOptions {
  /** ms since the epoch. */
  readonly now: number;
  readonly newSessionId: () => string;
  /** Seconds; 0: none. */
  readonly interimSeconds: number;
  readonly maxSessionSeconds: number;
  /** The event may have been worked on before: what it came to then is said again. */
  readonly again: boolean;
}

export type Accounted =
  /** `records` with `repeated` have the number they had before. */
  | {
      readonly kind: "records";
      readonly sessions: DialogSessions;
      readonly records: readonly AccountingRecord[];
      readonly repeated: boolean;
    }
  /** It has been counted. */
  | { readonly kind: "repeated" }
  /** The session is not there, or not yet. */
  | { readonly kind: "unknownSession" };

const RECENT = 8;
/** RFC 4028 §10: a session ends when its timer is over; a BYE may take its time after that. */
const LOST_GRACE_S = 40;

/** What a charging event makes of the sessions of its dialog: TS 32.260 §5.2.2.1. */
export function account(
  sessions: DialogSessions | undefined,
  event: ChargingEvent,
  options: AccountOptions,
): Accounted {
  if (event.kind === "start") return started(sessions, event, options);
  const role = roleOf(sessions, event);
  const wanted = sessions?.roles.filter((one) => role === undefined || one.role === role) ?? [];
  if (sessions === undefined || wanted.length === 0) return { kind: "unknownSession" };
  const known = wanted.filter((one) => numberOf(one, event) !== undefined);
  if (known.length > 0) return said(sessions, known, event, options);
  const open = wanted.filter(({ endedAt }) => endedAt === 0);
  if (open.length === 0) return { kind: "repeated" };
  return next(sessions, open, event, event.kind === "stop" ? "STOP" : "INTERIM", options);
}

/** Interim records that are due, and the end of sessions that nobody has ended. */
export function accountDue(sessions: DialogSessions, options: AccountOptions): Accounted {
  const { now } = options;
  const own = sessions.roles.filter((one) => one.recent.at(-1)?.[0] === ownId(one, one.number));
  // What was begun and did not get to the queue, or perhaps did.
  if (options.again && own.length > 0) {
    const records = own.map((one) => {
      const type = one.endedAt === 0 ? "INTERIM" : "STOP";
      const event = { ...ownEvent(one, type, options), id: ownId(one, one.number) };
      return recordOf(one, event, type, one.number, type === "STOP");
    });
    return { kind: "records", sessions, records, repeated: true };
  }
  const lost = sessions.roles.filter(({ endedAt, lostAt }) => endedAt === 0 && lostAt <= now);
  const due = sessions.roles.filter(
    ({ endedAt, lostAt, interimAt }) => endedAt === 0 && lostAt > now && interimAt !== 0 && interimAt <= now,
  );
  let after = sessions;
  const records: AccountingRecord[] = [];
  for (const [ones, type] of [
    [lost, "STOP"],
    [due, "INTERIM"],
  ] as const)
    for (const one of ones) {
      const result = next(after, [one], ownEvent(one, type, options), type, options, type === "STOP");
      if (result.kind !== "records") continue;
      after = result.sessions;
      records.push(...result.records);
    }
  return { kind: "records", sessions: after, records, repeated: false };
}

/** The CDF wants interim records that often (Acct-Interim-Interval, RFC 6733 §9.8.2); undefined when nothing changes. */
export function withInterval(
  sessions: DialogSessions,
  sessionId: string,
  interimSeconds: number,
  now: number,
): DialogSessions | undefined {
  const found = sessions.roles.find((one) => one.sessionId === sessionId);
  if (found === undefined || found.endedAt !== 0 || found.interimSeconds === interimSeconds) return undefined;
  const interimAt = interimSeconds === 0 ? 0 : now + interimSeconds * 1000;
  return replace(sessions, { ...found, interimSeconds, interimAt });
}

function started(
  sessions: DialogSessions | undefined,
  event: ChargingEvent,
  options: AccountOptions,
): Accounted {
  const role = event.role ?? "originating";
  const known = sessions?.roles.find((one) => one.role === role);
  if (sessions !== undefined && known !== undefined) {
    if (numberOf(known, event) === undefined) return { kind: "repeated" };
    return said(sessions, [known], event, options);
  }
  const { now, interimSeconds } = options;
  const session: RoleSession = {
    role,
    sessionId: options.newSessionId(),
    number: 0,
    startTime: event.time,
    facts: factsOf(event),
    recent: [[event.id, 0]],
    endedAt: 0,
    interimSeconds,
    interimAt: interimSeconds === 0 ? 0 : now + interimSeconds * 1000,
    lostAt: lostAt(event, options),
  };
  return {
    kind: "records",
    sessions: { version: 1, roles: [...(sessions?.roles ?? []), session] },
    records: [recordOf(session, event, "START", 0)],
    repeated: false,
  };
}

function next(
  sessions: DialogSessions,
  ones: readonly RoleSession[],
  event: ChargingEvent,
  recordType: "INTERIM" | "STOP",
  options: AccountOptions,
  lost = false,
): Accounted {
  let after = sessions;
  const records: AccountingRecord[] = [];
  for (const one of ones) {
    const number = one.number + 1;
    const { interimSeconds } = one;
    const changed: RoleSession = {
      ...one,
      number,
      recent: [...one.recent.slice(1 - RECENT), [event.id, number]],
      endedAt: recordType === "STOP" ? options.now : 0,
      interimAt: interimSeconds === 0 ? 0 : options.now + interimSeconds * 1000,
      // What ralf itself reports is no sign of life.
      lostAt: event.method === "" ? one.lostAt : lostAt(event, options),
    };
    after = replace(after, changed);
    records.push(recordOf(changed, event, recordType, number, lost));
  }
  return { kind: "records", sessions: after, records, repeated: false };
}

function said(
  sessions: DialogSessions,
  ones: readonly RoleSession[],
  event: ChargingEvent,
  { again }: AccountOptions,
): Accounted {
  if (!again) return { kind: "repeated" };
  const records = ones.map((one) => {
    const number = numberOf(one, event) ?? 0;
    const type = event.kind === "start" ? "START" : event.kind === "stop" ? "STOP" : "INTERIM";
    return recordOf(one, event, type, number);
  });
  return { kind: "records", sessions, records, repeated: true };
}

function recordOf(
  session: RoleSession,
  event: ChargingEvent,
  recordType: RecordType,
  recordNumber: number,
  lost = false,
): AccountingRecord {
  const { sessionId, startTime, facts } = session;
  const merged = recordType === "START" ? event : { ...event, ...facts, toTag: facts.toTag };
  const record = { sessionId, recordType, recordNumber, event: merged };
  if (recordType !== "STOP") return record;
  return lost ? { ...record, startTime, lost } : { ...record, startTime };
}

/** The party that is served inside a dialog: who has called has the tag of the first From. */
function roleOf(sessions: DialogSessions | undefined, event: ChargingEvent): ChargingRole | undefined {
  const caller = sessions?.roles[0]?.facts.fromTag;
  if (event.servedTag === undefined || caller === undefined) return undefined;
  return event.servedTag === caller ? "originating" : "terminating";
}

function numberOf(session: RoleSession, event: ChargingEvent): number | undefined {
  return session.recent.find(([id]) => id === event.id)?.[1];
}

function lostAt(event: ChargingEvent, { now, maxSessionSeconds }: AccountOptions): number {
  const { sessionExpires } = event;
  const seconds =
    sessionExpires === undefined || sessionExpires === 0
      ? maxSessionSeconds
      : Math.min(maxSessionSeconds, sessionExpires + LOST_GRACE_S);
  return now + seconds * 1000;
}

function ownEvent(session: RoleSession, type: "INTERIM" | "STOP", { now }: AccountOptions): ChargingEvent {
  const kind = type === "STOP" ? "stop" : "interim";
  return { ...session.facts, id: ownId(session, session.number + 1), kind, time: now, method: "" };
}

/** Names a record that ralf made by itself. */
function ownId({ sessionId }: RoleSession, number: number): string {
  return `own.${number}.${sessionId.slice(-24)}`;
}

function replace(sessions: DialogSessions, session: RoleSession): DialogSessions {
  const roles = sessions.roles.map((one) => (one.sessionId === session.sessionId ? session : one));
  return { ...sessions, roles };
}

function factsOf(event: ChargingEvent): SessionFacts {
  const { node, nodeAddress, role, callId, fromTag, toTag, callingParty, calledParty } = event;
  const { requestedParty, calledAsserted, from, icid, icidGeneratedAt, origIoi, termIoi } = event;
  const { accessNetworkInfo, visitedNetwork, ccf } = event;
  return {
    ...{ node, nodeAddress, role, callId, fromTag, toTag, callingParty, calledParty },
    ...{ requestedParty, calledAsserted, from, icid, icidGeneratedAt, origIoi, termIoi },
    ...{ accessNetworkInfo, visitedNetwork, ccf },
  };
}
