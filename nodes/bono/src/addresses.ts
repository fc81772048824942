import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback, memberNameOf, type Pools } from "@ims/runtime";
import { hostForUri, type Uri } from "@ims/sip";
import { BonoError } from "./errors.ts";
import type { BonoOptions } from "./options.ts";

/** Where this node is, and who may speak to its trusted side. Hosts in lower case, IPv6 without brackets. */
export interface Addresses {
  /** Names and addresses of ours, and of the other members of our pool: what is meant for one of them may reach us. */
  readonly ownHosts: { has(host: string): boolean };
  readonly coreHost: string;
  /** The trusted side in our URIs. */
  readonly coreUriHost: string;
  /** Is this the name of a member of our pool? Such a name stands without a port: SRV finds the member, or another one. */
  isPoolName(host: string): boolean;
  /** Host, port and transport of the trusted side in our URIs. */
  coreHostPort(port: number): string;
  readonly accessUriHost: string | undefined;
  /** Addresses of the other member of our pool with that name. */
  siblingAddresses(name: string): readonly string[];
  /** One address of each other member of our pool. */
  siblings(): readonly string[];
  /** Has our pool other members? */
  hasSiblings(): boolean;
  mayUseCore(address: string): boolean;
}

/** Throws BonoError when the trusted side could not be told from the rest of the world. */
export function addressesOf(
  options: BonoOptions,
  icscf: Uri,
  pools?: Pools,
  ecscfs: readonly Uri[] = [],
): Addresses {
  const bare = (text: string): string => text.replace(/^\[|\]$/g, "").toLowerCase();
  const accessHost = bare(options.host);
  const coreHost = options.coreHost === "" ? accessHost : bare(options.coreHost);
  const coreUriHost =
    options.coreAdvertisedHost === "" ? coreAddress(coreHost, icscf) : bare(options.coreAdvertisedHost);
  const accessUriHost = options.advertisedHost === "" ? undefined : bare(options.advertisedHost);
  const ownHosts = new Set(
    [accessHost, coreHost].flatMap((host) => (isWildcard(host) ? interfaceAddresses() : [host])),
  );
  ownHosts.add(coreUriHost);
  if (accessUriHost !== undefined) ownHosts.add(accessUriHost);

  const peers = new Set(options.corePeers.map(bare));
  for (const { host } of [icscf, ...ecscfs]) if (isIP(host) !== 0) peers.add(host);
  if (!isWildcard(coreHost)) peers.add(coreHost);
  const loopbackOnly = isLoopback(coreHost);
  if (!loopbackOnly && isIP(icscf.host) === 0 && options.corePeers.length === 0 && pools === undefined)
    throw new BonoError({
      code: "BONO_CORE_OPEN",
      problem: `the trusted side is bound to ${coreHost}: name who may use it with --core-peers or --pools-file`,
    });
  const pool = memberNameOf(coreUriHost)?.pool;
  const isPoolName = (host: string): boolean =>
    pool !== undefined && host.endsWith(pool) && memberNameOf(host)?.pool === pool;
  let poolAddresses = addressesIn(pools, pool);
  pools?.onChange(() => {
    poolAddresses = addressesIn(pools, pool);
  });
  return {
    ownHosts: { has: (host) => ownHosts.has(host) || poolAddresses.has(host) || isPoolName(host) },
    coreHost,
    coreUriHost,
    isPoolName,
    coreHostPort: (port) =>
      pool === undefined
        ? `${hostForUri(coreUriHost)}:${port};transport=tcp`
        : `${coreUriHost};transport=tcp`,
    accessUriHost,
    siblingAddresses: (name) =>
      name === coreUriHost
        ? []
        : (pools?.members.find((member) => member.pool === pool && member.name === name)?.addresses ?? []),
    siblings: () =>
      pools?.members.flatMap(({ pool: of, name, addresses }) =>
        of === pool && name !== coreUriHost ? addresses.slice(0, 1) : [],
      ) ?? [],
    hasSiblings: () =>
      pools?.members.some(
        (member) => member.pool === pool && member.name !== coreUriHost && !member.draining,
      ) ?? false,
    mayUseCore: (address) => peers.has(address) || isLoopback(address) || (pools?.isMember(address) ?? false),
  };
}

function addressesIn(pools: Pools | undefined, pool: string | undefined): ReadonlySet<string> {
  const members = pool === undefined ? [] : (pools?.members.filter((member) => member.pool === pool) ?? []);
  return new Set(members.flatMap(({ addresses }) => addresses));
}

function coreAddress(coreHost: string, icscf: Uri): string {
  if (!isWildcard(coreHost)) return coreHost;
  if (isLoopback(icscf.host)) return icscf.host;
  throw new BonoError({
    code: "BONO_CORE_ADDRESS",
    problem: `the trusted side is bound to ${coreHost}: give its address with --core-advertised-host or --core-host`,
  });
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((one) => (one ?? []).map(({ address }) => address));
}
