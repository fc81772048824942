import type { SipMessage } from "../message/message.ts";
import type { Flow, TransportLayer, TransportProtocol } from "../transport/transport.ts";

const DEFAULT_PORT: Readonly<Record<TransportProtocol, number>> = {
  UDP: 5060,
  TCP: 5060,
  TLS: 5061,
  WS: 80,
  WSS: 443,
};

/**
 * Sends a response where its top Via says (RFC 3261 §18.2.2, RFC 3581 §4): only inside the trust domain, because a
 * stranger may have written that Via. False when it cannot be sent.
 */
export function sendByVia(response: SipMessage, side: string, transport: TransportLayer): boolean {
  const via = response.topVia;
  if (via === undefined) return false;
  const protocol = via.transport as TransportProtocol;
  const address = via.parameters.get("received") ?? via.host;
  const rport = Number(via.parameters.get("rport") ?? "");
  const port = protocol === "UDP" && rport > 0 ? rport : (via.port ?? DEFAULT_PORT[protocol]);
  if (port === undefined) return false;
  if (protocol === "TCP" || protocol === "TLS" || protocol === "UDP")
    return transport.flowTo({ protocol, address, port }, side).send(response.toString());
  return false;
}

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
