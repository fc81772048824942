import type { TransportProtocol } from "../transport/transport.ts";

/** The transports that DNS knows (RFC 3263 §4.1); WebSocket servers are not dialled by us. */
export type DnsTransport = "UDP" | "TCP" | "TLS";

/** Where each transport is found: NAPTR service, SRV prefix (RFC 3263 §4.1, §4.2), default port (RFC 3261 §19.1.2). */
export const dnsTransports: Readonly<
  Record<DnsTransport, { readonly naptr: string; readonly srv: string; readonly port: number }>
> = {
  UDP: { naptr: "SIP+D2U", srv: "_sip._udp.", port: 5060 },
  TCP: { naptr: "SIP+D2T", srv: "_sip._tcp.", port: 5060 },
  TLS: { naptr: "SIPS+D2T", srv: "_sips._tcp.", port: 5061 },
};

export function isDnsTransport(protocol: TransportProtocol): protocol is DnsTransport {
  return protocol === "UDP" || protocol === "TCP" || protocol === "TLS";
}

/** RFC 3261 §19.1.2, RFC 7118 §5.2: 80 and 443 for WebSocket. */
export function defaultPort(protocol: TransportProtocol): number {
  if (protocol === "WS") return 80;
  return protocol === "WSS" ? 443 : dnsTransports[protocol].port;
}

/** The transport parameter of a URI, undefined for a transport that this stack does not speak or that breaks sips. */
export function transportOf(parameter: string, secure: boolean): TransportProtocol | undefined {
  switch (parameter.toLowerCase()) {
    case "udp":
      return secure ? undefined : "UDP";
    case "tcp":
      return secure ? "TLS" : "TCP";
    case "tls":
      return "TLS";
    case "ws":
      return secure ? "WSS" : "WS";
    case "wss":
      return "WSS";
    default:
      return undefined;
  }
}
