import type { ChargingEvent, ChargingRole } from "@ims/ims";

/** Accounting-Record-Type (RFC 6733 §9.8.1), in words. */
export type RecordType = "EVENT" | "START" | "INTERIM" | "STOP";

/** One accounting record: what an ACR, and with the last one of a session a CDR, is made of. */
export interface AccountingRecord {
  readonly sessionId: string;
  readonly recordType: RecordType;
  readonly recordNumber: number;
  /** What happened, completed with what the session knows. */
  readonly event: ChargingEvent;
  /** STOP: when the session began and how many records it had; seconds are counted from here. */
  readonly startTime?: number;
  /** STOP by ralf itself: nobody said that the session had ended. */
  readonly lost?: boolean;
}

/** What a session keeps of its START for the records to come. */
export type SessionFacts = Pick<
  ChargingEvent,
  | "node"
  | "nodeAddress"
  | "role"
  | "callId"
  | "fromTag"
  | "toTag"
  | "callingParty"
  | "calledParty"
  | "requestedParty"
  | "calledAsserted"
  | "from"
  | "icid"
  | "icidGeneratedAt"
  | "origIoi"
  | "termIoi"
  | "accessNetworkInfo"
  | "visitedNetwork"
  | "ccf"
>;

/** One charging session: an accounting session of Diameter, for one role of one functional entity in one dialog. */
export interface RoleSession {
  readonly role: ChargingRole;
  readonly sessionId: string;
  /** Number of the last record. */
  readonly number: number;
  readonly startTime: number;
  readonly facts: SessionFacts;
  /** The last events with the record numbers they got, the newest last. */
  readonly recent: readonly (readonly [string, number])[];
  /** ms since the epoch; 0: it goes on. */
  readonly endedAt: number;
  /** Seconds; 0: no interim records. */
  readonly interimSeconds: number;
  /** When the next interim record is due, ms since the epoch; 0: never. */
  readonly interimAt: number;
  /** When the session counts as lost, ms since the epoch. */
  readonly lostAt: number;
}

/** All sessions that one kind of functional entity has for a dialog: one key in the store. */
export interface DialogSessions {
  readonly version: 1;
  readonly roles: readonly RoleSession[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function encodeSessions(sessions: DialogSessions): Uint8Array {
  return encoder.encode(JSON.stringify(sessions));
}

/** Undefined for what is no record of ours, or of a later release. */
export function decodeSessions(bytes: Uint8Array): DialogSessions | undefined {
  try {
    const value = JSON.parse(decoder.decode(bytes)) as Partial<DialogSessions> | null;
    return value?.version === 1 && Array.isArray(value.roles) ? (value as DialogSessions) : undefined;
  } catch {
    return undefined;
  }
}

/** When somebody has to look at these sessions again, ms since the epoch; undefined: never. */
export function nextDue(sessions: DialogSessions): number | undefined {
  let due: number | undefined;
  for (const { endedAt, interimAt, lostAt } of sessions.roles) {
    if (endedAt !== 0) continue;
    const at = interimAt === 0 ? lostAt : Math.min(interimAt, lostAt);
    if (due === undefined || at < due) due = at;
  }
  return due;
}
