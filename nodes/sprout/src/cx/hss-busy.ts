import { blameServerBehind, type RequestContext } from "@ims/sip";
import { secondsUntilRetry } from "../routing/retry-after.ts";

/** Shortest time until a retry, s; each UE is told another one, up to EARLIEST + SPREAD. */
const EARLIEST = 5;
const SPREAD = 15;

/**
 * The HSS has too much to do (DIAMETER_TOO_BUSY, RFC 6733 §7.1.3): 503 with a time to come back (RFC 3261 §21.5.4, §20.33).
 * Whoever sent the request does not send it to another member, which would ask the same HSS.
 */
export function refuseForBusyHss(context: RequestContext): undefined {
  const seconds = secondsUntilRetry(context.request, EARLIEST, SPREAD);
  context.respond(503, { edit: (response) => blameServerBehind(response, seconds) });
}
