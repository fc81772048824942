import { isIP } from "node:net";
import { SproutError } from "./errors.ts";

/** Where this node is, and who may speak to it. IPv6 without brackets. */
export interface Addresses {
  /** The host in our own URIs. */
  readonly uriHost: string;
  mayUse(address: string): boolean;
}

/** Throws SproutError when others could not reach us by our URIs, or when everybody could speak to us. */
export function addressesOf(options: {
  readonly host: string;
  readonly advertisedHost: string;
  readonly corePeers: readonly string[];
}): Addresses {
  const host = bare(options.host);
  const uriHost = options.advertisedHost === "" ? host : bare(options.advertisedHost);
  if (uriHost === "0.0.0.0" || uriHost === "::")
    throw new SproutError({
      code: "SPROUT_ADDRESS",
      host,
      problem: "no address for our URIs: give it with --advertised-host or --host",
    });
  if (!isLoopback(host) && options.corePeers.length === 0)
    throw new SproutError({
      code: "SPROUT_ADDRESS",
      host,
      problem: "what peers say is believed: name those that may send to sprout with --core-peers",
    });
  const peers = new Set(options.corePeers.map(bare));
  peers.add(host);
  return { uriHost, mayUse: (address) => peers.has(address) || isLoopback(address) };
}

function bare(text: string): string {
  return text.replace(/^\[|\]$/g, "").toLowerCase();
}

function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || (isIP(address) === 4 && address.startsWith("127."));
}
