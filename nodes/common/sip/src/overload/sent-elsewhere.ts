import type { SipMessage } from "../message/message.ts";

/** RFC 3261 §20.43: a warning of no code of its own, by whom the Via tells. */
const WARNING = '399 - "another server of the pool may be able to"';

/**
 * Makes a 503 say that its sender works, but misses something that its equals may have: whoever sent the request asks the next
 * one, and blames nobody. `retryAfter`: seconds until the UE may come again, where all of them miss it.
 */
export function sendElsewhere(response: SipMessage, retryAfter: number): void {
  response.append("Warning", WARNING).append("Retry-After", String(retryAfter));
}

/** A 503 that is no failure of the server that sent it. */
export function isSentElsewhere(response: SipMessage): boolean {
  return response.status === 503 && response.lines("Warning").includes(WARNING);
}
