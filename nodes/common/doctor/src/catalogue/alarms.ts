import type { DiagnosisId } from "./catalogue.ts";
import type { Area } from "./definition.ts";

/** Problems by which nodes raise an alarm when what a diagnosis says concerns more than one user. The others concern one user, and raise none. */
const alarms: Partial<Record<DiagnosisId, readonly string[]>> = {
  "hss-unreachable": ["TW-2001", "TW-1201"],
  "hss-failed": ["TW-4001", "TW-1303"],
  "hss-overloaded": ["TW-1101"],
  overload: ["TW-1101"],
  "home-network-unreachable": ["TW-3001", "TW-1102"],
  "application-server-silent": ["TW-2004", "TW-1503"],
  "application-server-failed": ["TW-2004", "TW-1503"],
  "store-unavailable": ["TW-1302", "TW-1303", "TW-2002", "TW-2003"],
  "refused-by-peer": ["TW-3002"],
  "codec-mismatch": ["TW-3004"],
  "flow-failed": ["TW-9001"],
  "called-not-registered": ["TW-2002", "TW-2003"],
};

/** Alert rules that fire when many users meet something of that kind, whatever it is. */
export const alertRules: Readonly<Record<Area, readonly string[]>> = {
  registration: [
    "TidewaterRegistrationSuccessLow",
    "TidewaterReRegistrationSuccessLow",
    "TidewaterRegistrationsCollapse",
  ],
  authentication: ["TidewaterRegistrationSuccessLow", "TidewaterPasswordGuessing"],
  call: ["TidewaterSessionSetupSuccessLow", "TidewaterSessionsFailInTheNetwork"],
  network: ["TidewaterServerErrorsToUsers", "TidewaterAlarm"],
};

/** Ids of problems (TW-2001) whose alarm goes with a diagnosis. */
export function alarmsOf(id: DiagnosisId): readonly string[] {
  return alarms[id] ?? [];
}
