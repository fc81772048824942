import type { SipMessage } from "@ims/sip";
import type { ChargingAddresses } from "../cx/cx.ts";

/** orig-ioi of a request that enters the home network's S-CSCF (TS 24.229 §5.4.3.2): type 2, this network. */
export function addOrigIoi(request: SipMessage, homeDomain: string): void {
  const value = request.header("P-Charging-Vector");
  if (value === undefined || /;\s*orig-ioi\s*=/i.test(value)) return;
  request.set("P-Charging-Vector", `${value};orig-ioi="${homeDomain}"`);
}

/** P-Charging-Vector of a response: the request's, with this network as term-ioi (TS 24.229 §5.4.1.2.2F, §5.4.3.3). */
export function addTermIoi(response: SipMessage, request: SipMessage, homeDomain: string): void {
  const value = response.header("P-Charging-Vector") ?? request.header("P-Charging-Vector");
  if (value === undefined || /;\s*term-ioi\s*=/i.test(value)) return;
  response.set("P-Charging-Vector", `${value};term-ioi="${homeDomain}"`);
}

/** P-Charging-Function-Addresses (RFC 7315 §5.5) for nodes of the home network; "" when the HSS gave none. */
export function chargingAddresses(charging: ChargingAddresses | undefined): string {
  if (charging === undefined) return "";
  const { ecf, ccf } = charging;
  return [...ccf.map((one) => `ccf="${one}"`), ...ecf.map((one) => `ecf="${one}"`)].join("; ");
}
