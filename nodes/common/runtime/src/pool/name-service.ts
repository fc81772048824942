import { isIP } from "node:net";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { nodeResolver } from "../dns/node-resolver.ts";
import type { DnsServer } from "../dns/query.ts";
import type { DnsResolver } from "../dns/resolver.ts";
import type { Logger } from "../log/logger.ts";
import { isDnsName, LABEL } from "./pool-name.ts";
import { poolResolver } from "./pool-resolver.ts";
import { openPools, type Pools } from "./pools.ts";

/** "" or a label. */
const SITE = new RegExp(`^$|${LABEL.source}`);

/** Options of a node that finds others by name. */
export const nameServiceOptions = {
  site: z
    .string()
    .regex(SITE, "small letters, digits and hyphens, 63 at most")
    .default("")
    .describe(
      "site of this node, of a core over two sites: members of the other site are used when none of its own is in service; default: there is one site",
    ),
  nearMembers: z
    .array(z.string().toLowerCase().refine(isDnsName, "names of members"))
    .default([])
    .describe(
      "members that are asked before the others of their pools, as names separated by commas: those that share a process or a machine with this node; needs a pools file",
    ),
  poolsFile: z
    .string()
    .default("")
    .describe(
      "JSON file with the members of all pools, read again when it changes; default: pools are found by DNS",
    ),
  dnsServers: z
    .array(z.string().refine((text) => dnsServerOf(text) !== undefined, "write address or address:port"))
    .default([])
    .describe("DNS servers as address or address:port, separated by commas; default: those of the system"),
};

export interface NameService {
  readonly resolver: DnsResolver;
  /** Undefined without a pools file. */
  readonly pools: Pools | undefined;
  stop(): void;
}

/** The pools file, if there is one, before the DNS. Throws POOLS_FILE when it cannot be used. */
export function nameService(
  options: {
    readonly poolsFile: string;
    readonly dnsServers: readonly string[];
    readonly site?: string;
    readonly nearMembers?: readonly string[];
  },
  modules: { readonly clock: Clock; readonly log: Logger },
): NameService {
  const servers = options.dnsServers.map(dnsServerOf).filter((server) => server !== undefined);
  const dns = nodeResolver(modules.clock, servers.length === 0 ? {} : { servers });
  const pools =
    options.poolsFile === ""
      ? undefined
      : openPools(options.poolsFile, { ...modules, site: options.site, near: options.nearMembers });
  return {
    resolver: pools === undefined ? dns : poolResolver(pools, dns),
    pools,
    stop: () => pools?.stop(),
  };
}

/** Reads 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:5353. */
function dnsServerOf(text: string): DnsServer | undefined {
  if (isIP(text) !== 0) return { address: text, port: 53 };
  const [, bracketed, plain = "", digits] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  const port = Number(digits);
  return isIP(address) !== 0 && port >= 1 && port <= 65_535 ? { address, port } : undefined;
}
