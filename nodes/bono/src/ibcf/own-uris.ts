import type { Uri } from "@ims/sip";

/** SIP URIs of the IBCF: towards the core those of the node's trusted side with the user `ibcf` or `ibcf.<peer>`, towards peers any user. */
export interface IbcfUris {
  sideOf(uri: Uri): "peer" | "core" | undefined;
  /** Of this node at all, or of another member of its pool: nothing for a peer to lead to. */
  isOurs(uri: Uri): boolean;
}

export interface IbcfUrisOptions {
  /** Names and addresses towards peers, in lower case, IPv6 without brackets. */
  readonly hosts: ReadonlySet<string>;
  /** May grow while listeners open. */
  readonly ports: ReadonlySet<number>;
  /** Sides of the P-CSCF of the same node. */
  readonly node: { sideOf(uri: Uri): "access" | "core" | undefined };
}

export function ibcfUris({ hosts, ports, node }: IbcfUrisOptions): IbcfUris {
  const isPeerSide = (uri: Uri): boolean => hosts.has(uri.host) && ports.has(uri.port ?? defaultPort(uri));
  return {
    sideOf(uri) {
      if (uri.scheme !== "sip" && uri.scheme !== "sips") return undefined;
      if (isPeerSide(uri)) return "peer";
      const named = uri.user === "ibcf" || uri.user.startsWith("ibcf.");
      return named && node.sideOf(uri) === "core" ? "core" : undefined;
    },
    isOurs: (uri) => isPeerSide(uri) || node.sideOf(uri) !== undefined,
  };
}

/** RFC 3261 §19.1.2. */
function defaultPort(uri: Uri): number {
  return uri.scheme === "sips" || uri.parameters.get("transport")?.toLowerCase() === "tls" ? 5061 : 5060;
}
