import type { SipMessage } from "../message/message.ts";
import type { Flow } from "../transport/transport.ts";

/** RFC 3261 §18.2.1, RFC 3581 §4: where the request really came from goes into its top Via. */
export function noteSource(request: SipMessage, flow: Flow): void {
  const via = request.topVia;
  if (via === undefined) return;
  const wantsPort = via.parameters.has("rport");
  const parameters = via.parameters;
  // What the sender says about itself counts for nothing.
  const claims = parameters.has("received");
  if (!wantsPort && !claims && via.host === flow.remoteAddress) return;
  const value = request.top("Via") ?? "";
  if (claims || via.host !== flow.remoteAddress || wantsPort) parameters.set("received", flow.remoteAddress);
  if (wantsPort) parameters.set("rport", String(flow.remotePort));
  const semicolon = value.indexOf(";");
  request.replaceTop("Via", `${semicolon < 0 ? value : value.slice(0, semicolon)}${parameters}`);
}
