import type { SipMessage } from "@ims/sip";
import type { PcscfModules } from "./modules.ts";

/**
 * P-Charging-Vector of a new dialog, standalone transaction or registration: a fresh ICID and the type 1 originating IOI
 * of our network, never a terminating one (TS 24.229 §5.2.2.1, §5.2.6.3.3, §7.2A.5).
 */
export function chargingVector({ newIcid, settings }: Pick<PcscfModules, "newIcid" | "settings">): string {
  return `icid-value=${newIcid()};icid-generated-at=${settings.icidHost};orig-ioi=${settings.ioi}`;
}

/**
 * P-Charging-Vector of an answer of the UE: that of the request, with the network we are in as type 1 terminating IOI (TS 24.229
 * §5.2.6.4.4). None where the request had none.
 */
export function addChargingVector(
  response: SipMessage,
  request: SipMessage,
  { ioi }: PcscfModules["settings"],
): void {
  const value = request.header("P-Charging-Vector");
  if (value !== undefined && !/;\s*term-ioi\s*=/i.test(value))
    response.append("P-Charging-Vector", `${value};term-ioi=${ioi}`);
}
