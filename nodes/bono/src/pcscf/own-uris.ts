import type { Uri } from "@ims/sip";

/** Addresses of this P-CSCF: which SIP URIs are its own, and on which side. */
export interface OwnUris {
  /** A URI of the access or of the trusted side; undefined when it is not ours. */
  sideOf(uri: Uri): "access" | "core" | undefined;
}

export interface OwnUrisOptions {
  /** Names and addresses in lower case, IPv6 without brackets. */
  readonly hosts: { has(host: string): boolean };
  /** Names that stand for the trusted side without a port. Default: none. */
  readonly isCoreName?: (host: string) => boolean;
  /** May grow while listeners open. */
  readonly accessPorts: ReadonlySet<number>;
  readonly corePorts: ReadonlySet<number>;
}

export function ownUris({ hosts, isCoreName, accessPorts, corePorts }: OwnUrisOptions): OwnUris {
  return {
    sideOf(uri) {
      if (uri.port === undefined && isCoreName?.(uri.host)) return "core";
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
