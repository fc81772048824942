import { type RequestContext, type SipMessage, sendElsewhere } from "@ims/sip";
import { secondsUntilRetry } from "../routing/retry-after.ts";
import type { NotAvailable } from "../store/copies.ts";

/** Shortest time until a retry, s; each UE is told another one, up to EARLIEST + SPREAD. */
const EARLIEST = 2;
const SPREAD = 8;

/**
 * What is registered cannot be said or written now. 500 with a time to come back (RFC 3261 §21.5.1, §20.33): it is no fault of this
 * member, and a 503 would make the others be asked in vain. Two cases are another matter, and 503 lets the request go on to the
 * next member (RFC 3263 §4.3): a value of a later release, which the member that wrote it can read, and the first moments of
 * an outage, which may be of this member alone.
 */
export function refuseForStore(
  context: RequestContext,
  away: Pick<NotAvailable, "newer" | "elsewhere"> | Record<string, never>,
): undefined {
  if (away.newer) return void context.respond(503);
  const seconds = secondsUntilRetry(context.request, EARLIEST, SPREAD);
  const edit = (response: SipMessage): void => void response.append("Retry-After", String(seconds));
  if (away.elsewhere)
    return void context.respond(503, { edit: (response) => sendElsewhere(response, seconds) });
  context.respond(500, { reason: "Server Internal Error (registrations are not available)", edit });
}
