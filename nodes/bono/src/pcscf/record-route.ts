import type { SipMessage } from "@ims/sip";
import type { AccessFlow } from "./flow-table.ts";
import type { PcscfModules } from "./modules.ts";

/** Requests of these methods make no dialog: staying in their path would serve nobody (TS 24.229 §5.2.6.3.7). */
const STANDALONE: ReadonlySet<string> = new Set(["MESSAGE", "OPTIONS", "PUBLISH", "INFO", "BYE", "PRACK"]);

/**
 * Double Record-Route (RFC 5658 §3.2): one value per side. The access-side one carries the flow token and the mark of the
 * dialog. `towards` is the side the request leaves on: its value stands first.
 */
export function recordRoute(
  request: SipMessage,
  access: AccessFlow,
  towards: "access" | "core",
  { tokens, settings }: Pick<PcscfModules, "tokens" | "settings">,
): void {
  if (STANDALONE.has(request.method)) return;
  const mark = tokens.mark(access.token, request.callId);
  const accessSide = `<sip:${access.token}.${mark}${access.recordRouteTail}`;
  const coreSide = `<sip:${settings.coreHostPort};lr>`;
  request.prepend(
    "Record-Route",
    towards === "core" ? `${coreSide}, ${accessSide}` : `${accessSide}, ${coreSide}`,
  );
}
