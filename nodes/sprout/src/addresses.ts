import { isLoopback, memberNameOf, type Pools } from "@ims/runtime";
import { hostForUri } from "@ims/sip";
import { SproutError } from "./errors.ts";

/** Where this node is, and who may speak to it. IPv6 without brackets. */
export interface Addresses {
  /** The host in our own URIs. */
  readonly uriHost: string;
  /** Name of this node as a member of a pool; undefined when it is none. */
  readonly memberName: string | undefined;
  /** Default URI of one of our ports: of a pool member the pool's, the same for all of them and found by SRV. */
  uriOf(service: "icscf" | "scscf" | "ecscf", port: number): string;
  /** The same of a port without a service name: of a pool member the pool's, found by its addresses. */
  anyMember(port: number): string;
  mayUse(address: string): boolean;
}

/** Throws SproutError when others could not reach us by our URIs, or when everybody could speak to us. */
export function addressesOf(
  options: {
    readonly host: string;
    readonly advertisedHost: string;
    readonly corePeers: readonly string[];
  },
  pools?: Pick<Pools, "isMember">,
): Addresses {
  const host = bare(options.host);
  const uriHost = options.advertisedHost === "" ? host : bare(options.advertisedHost);
  if (uriHost === "0.0.0.0" || uriHost === "::")
    throw new SproutError({
      code: "SPROUT_ADDRESS",
      host,
      problem: "no address for our URIs: give it with --advertised-host or --host",
    });
  if (!isLoopback(host) && options.corePeers.length === 0 && pools === undefined)
    throw new SproutError({
      code: "SPROUT_ADDRESS",
      host,
      problem:
        "what peers say is believed: name those that may send to sprout with --core-peers or --pools-file",
    });
  const peers = new Set(options.corePeers.map(bare));
  peers.add(host);
  const pool = memberNameOf(uriHost)?.pool;
  return {
    uriHost,
    memberName: pool === undefined ? undefined : uriHost,
    uriOf: (service, port) =>
      pool === undefined
        ? `sip:${hostForUri(uriHost)}:${port};transport=tcp`
        : `sip:${service}.${pool};transport=tcp`,
    anyMember: (port) => `sip:${hostForUri(pool ?? uriHost)}:${port};transport=tcp`,
    mayUse: (address) => peers.has(address) || isLoopback(address) || (pools?.isMember(address) ?? false),
  };
}

function bare(text: string): string {
  return text.replace(/^\[|\]$/g, "").toLowerCase();
}
