import type { Uri } from "@ims/sip";

/** Addresses of this P-CSCF: which SIP URIs are its own, and on which side. */
export interface OwnUris {
  /** A URI of the access or of the trusted side; undefined when it is not ours. */
  sideOf(uri: Uri): "access" | "core" | undefined;
}

export interface OwnUrisOptions {
  /** Names and addresses in lower case, IPv6 without brackets. */
  readonly hosts: ReadonlySet<string>;
  /** May grow while listeners open. */
  readonly accessPorts: ReadonlySet<number>;
  readonly corePorts: ReadonlySet<number>;
}

export function ownUris({ hosts, accessPorts, corePorts }: OwnUrisOptions): OwnUris {
  return {
    sideOf(uri) {
      if (!hosts.has(uri.host)) return undefined;
      const port = uri.port ?? defaultPort(uri);
      if (corePorts.has(port)) return "core";
      return accessPorts.has(port) ? "access" : undefined;
    },
  };
}

/** RFC 3261 §19.1.2. */
function defaultPort(uri: Uri): number {
  return uri.scheme === "sips" || uri.parameters.get("transport")?.toLowerCase() === "tls" ? 5061 : 5060;
}
