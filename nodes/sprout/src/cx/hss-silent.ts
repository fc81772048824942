import type { RequestContext } from "@ims/sip";
import { secondsUntilRetry } from "../routing/retry-after.ts";

/** Shortest time until a retry, s; each UE is told another one, up to EARLIEST + SPREAD. */
const EARLIEST = 2;
const SPREAD = 8;

/**
 * The HSS does not answer a registration at the S-CSCF: 500 and when to come again (RFC 3261 §21.5.1, §20.33). Not 504 or 503, upon which
 * a UE leaves a flow over which it is registered for another P-CSCF, with the same HSS behind it; nor 480, for which an I-CSCF would
 * look for another S-CSCF (TS 24.229 §5.3.1.3).
 */
export function refuseForSilentHss(context: RequestContext): undefined {
  const seconds = secondsUntilRetry(context.request, EARLIEST, SPREAD);
  context.respond(500, {
    reason: "Server Internal Error (the HSS does not answer)",
    edit: (response) => void response.append("Retry-After", String(seconds)),
  });
}
