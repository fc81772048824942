import type { SipMessage } from "@ims/sip";
import type { ChargingAddresses } from "../cx/cx.ts";

/**
 * orig-ioi of a request that leaves the S-CSCF of its caller: this network (type 2), instead of the network of the P-CSCF (type
 * 1); a term-ioi is nothing that a request may bring (TS 24.229 §5.4.3.2).
 */
export function addOrigIoi(request: SipMessage, homeDomain: string): void {
  const value = request.header("P-Charging-Vector");
  if (value === undefined) return;
  const next = withIoi(value, "orig-ioi", homeDomain, TERM_IOI);
  if (next !== value) request.set("P-Charging-Vector", next);
}

/** P-Charging-Vector of a response: the request's, with this network as term-ioi, whatever came (TS 24.229 §5.4.1.2.2F, §5.4.3.3). */
export function addTermIoi(response: SipMessage, request: SipMessage, homeDomain: string): void {
  const received = response.header("P-Charging-Vector");
  const value = received ?? request.header("P-Charging-Vector");
  if (value === undefined) return;
  const next = withIoi(value, "term-ioi", homeDomain);
  if (next !== received) response.set("P-Charging-Vector", next);
}

const ORIG_IOI = /;\s*orig-ioi\s*=\s*(?:"[^"]*"|[^\s;]*)/i;
const TERM_IOI = /;\s*term-ioi\s*=\s*(?:"[^"]*"|[^\s;]*)/i;

function withIoi(value: string, name: "orig-ioi" | "term-ioi", domain: string, without?: RegExp): string {
  const own = `;${name}="${domain}"`;
  const pattern = name === "orig-ioi" ? ORIG_IOI : TERM_IOI;
  const bare = without === undefined ? value : value.replace(without, "");
  const found = pattern.exec(bare)?.[0];
  if (found === undefined) return bare + own;
  return found === own || found === `;${name}=${domain}` ? bare : bare.replace(found, own);
}

/** P-Charging-Function-Addresses (RFC 7315 §5.5) for nodes of the home network; "" when the HSS gave none. */
export function chargingAddresses(charging: ChargingAddresses | undefined): string {
  if (charging === undefined) return "";
  const { ecf, ccf } = charging;
  return [...ccf.map((one) => `ccf="${one}"`), ...ecf.map((one) => `ecf="${one}"`)].join("; ");
}
