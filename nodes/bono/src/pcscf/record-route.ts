import type { SipMessage } from "@ims/sip";
import type { AccessFlow } from "./flow-table.ts";
import type { PcscfModules } from "./modules.ts";
import { routeSetKey } from "./routes.ts";

/** Requests of these methods make no dialog: staying in their path would serve nobody (TS 24.229 §5.2.6.3.7). */
const STANDALONE: ReadonlySet<string> = new Set(["MESSAGE", "OPTIONS", "PUBLISH", "INFO", "BYE", "PRACK"]);

type Parts = Pick<PcscfModules, "tokens" | "settings">;

/**
 * Double Record-Route of a request from the UE (RFC 5658 §3.2): the trusted side's value, then the access side's with the
 * flow token.
 */
export function recordRouteFromUe(request: SipMessage, access: AccessFlow, { settings }: Parts): void {
  if (STANDALONE.has(request.method)) return;
  request.prepend(
    "Record-Route",
    `<sip:${settings.coreHostPort};lr>, <sip:${access.token}${access.recordRouteTail}`,
  );
}

/**
 * The UE gets our access-side value with the mark of its dialog and of the route set behind us, as this response shows it
 * (RFC 3261 §16.7 step 8: a proxy may rewrite its own value).
 */
export function markForUe(response: SipMessage, access: AccessFlow, { tokens }: Parts): void {
  if (response.status >= 300 || !response.has("Record-Route")) return;
  const values = response.values("Record-Route");
  const own = values.pop();
  if (own === undefined || !own.startsWith(`<sip:${access.token}@`)) return;
  const behind = values.slice(0, -1).reverse();
  values.push(
    `<sip:${access.token}.${markOf(tokens, access, response.callId, behind)}${access.recordRouteTail}`,
  );
  response.set("Record-Route", values.join(", "));
}

/** Double Record-Route of a request to the UE: here what lies behind us is known at once. */
export function recordRouteToUe(request: SipMessage, access: AccessFlow, { tokens, settings }: Parts): void {
  if (STANDALONE.has(request.method)) return;
  const mark = markOf(tokens, access, request.callId, request.values("Record-Route"));
  request.prepend(
    "Record-Route",
    `<sip:${access.token}.${mark}${access.recordRouteTail}, <sip:${settings.coreHostPort};lr>`,
  );
}

/** A route set that no UE may follow gives a mark that no request can show. */
function markOf(
  tokens: PcscfModules["tokens"],
  access: AccessFlow,
  callId: string,
  behind: readonly string[],
): string {
  return tokens.mark(access.token, callId, routeSetKey(behind) ?? "?");
}
