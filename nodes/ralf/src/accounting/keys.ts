import { hash } from "node:crypto";
import type { ChargingEvent } from "@ims/ims";

/** Tables of the store. */
export const SESSIONS = "charging";
export const EVENTS = "charging-events";
export const CURSORS = "charging-cursors";

/** Key of the sessions of one dialog at one kind of functional entity; the same whoever of the two sends. */
export function sessionsKey({ node, callId, fromTag, toTag }: ChargingEvent): string {
  const [one, other] = fromTag < toTag ? [fromTag, toTag] : [toTag, fromTag];
  return hash("sha256", `${node}\n${callId}\n${one}\n${other}`, "base64url");
}
