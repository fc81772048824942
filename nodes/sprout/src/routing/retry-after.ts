import type { SipMessage } from "@ims/sip";
import { shardOf } from "@ims/store";

/** Seconds until the sender may come again (RFC 3261 §20.33): from `earliest` to `spread` more, another time for each Call-ID. */
export function secondsUntilRetry({ callId }: SipMessage, earliest: number, spread: number): number {
  return earliest + (shardOf(callId) % (spread + 1));
}
