import type { PcscfModules } from "./modules.ts";

/**
 * P-Charging-Vector of a new dialog, standalone transaction or registration: a fresh ICID and the type 1 originating IOI
 * of our network, never a terminating one (TS 24.229 §5.2.2.1, §5.2.6.3.3, §7.2A.5).
 */
export function chargingVector({ newIcid, settings }: Pick<PcscfModules, "newIcid" | "settings">): string {
  return `icid-value=${newIcid()};icid-generated-at=${settings.icidHost};orig-ioi=${settings.ioi}`;
}
