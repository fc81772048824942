import type { Uri } from "@ims/sip";

/** Addresses of this P-CSCF: which SIP URIs are its own, and on which side. */
export interface OwnUris {
  /** A URI of the access or of the trusted side; undefined when it is not ours. */
  sideOf(uri: Uri): "access" | "core" | undefined;
}

export interface OwnUrisOptions {
  /** Names and addresses in lower case, IPv6 without brackets. */
  readonly hosts: Iterable<string>;
  readonly accessPorts: Iterable<number>;
  readonly corePort: number;
}

export function ownUris({ hosts, accessPorts, corePort }: OwnUrisOptions): OwnUris {
  const ownHosts = new Set(hosts);
  const ownPorts = new Set(accessPorts);
  return {
    sideOf(uri) {
      if (!ownHosts.has(uri.host)) return undefined;
      if (uri.port === corePort) return "core";
      return ownPorts.has(uri.port ?? defaultPort(uri)) ? "access" : undefined;
    },
  };
}

/** RFC 3261 §19.1.2. */
function defaultPort(uri: Uri): number {
  return uri.scheme === "sips" || uri.parameters.get("transport")?.toLowerCase() === "tls" ? 5061 : 5060;
}
