import { BlockList, isIP } from "node:net";
import { parseNameAddr, parseUri } from "@ims/sip";

/** Not reachable from elsewhere: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6. */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
] as const)
  PRIVATE.addSubnet(net, prefix, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && PRIVATE.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** The IP address in a name-addr; undefined where there is a name or nothing. */
export function hostOfUri(nameAddr: string): string | undefined {
  const text = parseNameAddr(nameAddr)?.uriText;
  const host = (text === undefined ? undefined : parseUri(text))?.host.replace(/^\[|\]$/g, "");
  return host !== undefined && isIP(host) !== 0 ? host : undefined;
}

/** Of "address:port", IPv6 in brackets. */
export function splitHostPort(text: string): { readonly host: string; readonly port: string } {
  const [, bracketed, plain = "", port = ""] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(text) ?? [];
  return { host: bracketed ?? plain, port };
}
