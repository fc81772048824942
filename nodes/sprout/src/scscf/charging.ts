import type { SipMessage } from "@ims/sip";

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
