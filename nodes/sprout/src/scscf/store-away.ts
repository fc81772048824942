import type { RequestContext } from "@ims/sip";
import { shardOf } from "@ims/store";

/** Shortest time until a retry, s; each UE is told another one, up to EARLIEST + SPREAD. */
const EARLIEST = 2;
const SPREAD = 8;

/**
 * What is registered cannot be said or written now. 500 with a time to come back (RFC 3261 §21.5.1, §20.33): it is no fault of this
 * member, and a 503 would make the others be asked in vain. A value of a later release is another matter: the member that
 * wrote it can read it, and 503 lets the request go on to the next one (RFC 3263 §4.3).
 */
export function refuseForStore(context: RequestContext, away: { readonly newer?: true }): undefined {
  if (away.newer) return void context.respond(503);
  const seconds = EARLIEST + (shardOf(context.request.callId) % (SPREAD + 1));
  context.respond(500, {
    reason: "Server Internal Error (registrations are not available)",
    edit: (response) => void response.append("Retry-After", String(seconds)),
  });
}
