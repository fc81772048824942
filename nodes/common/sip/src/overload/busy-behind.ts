import type { SipMessage } from "../message/message.ts";

/** RFC 3261 §20.43: a warning of no code of its own, by whom the Via tells. */
const WARNING = '399 - "a server behind this one is too busy"';

/**
 * Makes a 503 say that its sender works, and that it is a server behind it that has too much to do: the sender's equals would
 * ask the same one in vain and load it further (RFC 3261 §21.5.4). `retryAfter`: seconds until the UE may come again.
 */
export function blameServerBehind(response: SipMessage, retryAfter: number): void {
  response.append("Warning", WARNING).append("Retry-After", String(retryAfter));
}

/** A 503 that is no failure of the server that sent it, and nothing that another one of its kind would answer otherwise. */
export function blamesServerBehind(response: SipMessage): boolean {
  return response.status === 503 && response.lines("Warning").includes(WARNING);
}
