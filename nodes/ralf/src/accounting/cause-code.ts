import type { AccountingRecord } from "./charging-session.ts";

/** Cause-Code: TS 32.299 §7.2.35. */
const NORMAL_END_OF_SESSION = 0;
const SUCCESSFUL_TRANSACTION = -1;
const END_OF_SUBSCRIBE_DIALOG = -2;
const END_OF_REGISTER_DIALOG = -3;
const UNSPECIFIED_ERROR = 1;

/** Why a session, or what was none, ended as it did; undefined while a session goes on. */
export function causeCode({ recordType, event, lost }: AccountingRecord): number | undefined {
  if (recordType === "START" || recordType === "INTERIM") return undefined;
  if (recordType === "STOP") return lost === true ? UNSPECIFIED_ERROR : NORMAL_END_OF_SESSION;
  const { status = 0, method, expires } = event;
  if (status >= 400) return status;
  if (status >= 300) return -status;
  if (expires === 0 && method === "SUBSCRIBE") return END_OF_SUBSCRIBE_DIALOG;
  if (expires === 0 && method === "REGISTER") return END_OF_REGISTER_DIALOG;
  return SUCCESSFUL_TRANSACTION;
}
