import { hostCap } from "../placement/cells.ts";
import { formatShare } from "../placement/share.ts";
import type { PoolState, VnfInstance, VnfMember } from "./vnf-driver.ts";

/** Where the members of a pool are, and whether a host has more of them than it may. */
export interface PoolPlacement {
  readonly pool: string;
  /** Members that are on some host. */
  readonly members: number;
  readonly hosts: number;
  /** Most members on one host. */
  readonly most: number;
  /** Most there may be at this number of members. */
  readonly cap: number;
  readonly share: string;
  readonly verdict: "kept" | "violated" | "unguarded";
  /** Members of each host that has more than the cap. */
  readonly crowded: readonly { readonly hostId: string; readonly members: readonly string[] }[];
  /** Members without a host. */
  readonly absent: readonly string[];
}

export interface PlacementAudit {
  readonly kept: boolean;
  readonly pools: readonly PoolPlacement[];
  /** Hosts that have members of pools of different zones: DMZ and core. */
  readonly mixed: readonly { readonly hostId: string; readonly members: readonly string[] }[];
}

/**
 * The invariant, by Nova's hostId, which every project sees of its own servers: no host has more than the share of a pool. A
 * member counts while it has a server on a host, whatever its state: it is what the host would take with it.
 */
export function auditPlacement(
  { pools, guaranteed }: Pick<VnfInstance, "pools" | "guaranteed">,
  members: readonly VnfMember[],
): PlacementAudit {
  const placements = pools.map((pool) => placementOf(pool, members, guaranteed));
  const zoneOf = new Map(pools.map((pool) => [pool.pool, pool.zones.join(",")]));
  const byHost = groupByHost(members);
  const mixed = [...byHost].flatMap(([hostId, all]) =>
    guaranteed && new Set(all.map(({ pool }) => zoneOf.get(pool))).size > 1
      ? [{ hostId, members: all.map(({ name }) => name) }]
      : [],
  );
  const kept = mixed.length === 0 && placements.every(({ verdict }) => verdict !== "violated");
  return { kept, pools: placements, mixed };
}

function placementOf(
  { pool, share }: PoolState,
  members: readonly VnfMember[],
  guaranteed: boolean,
): PoolPlacement {
  const own = members.filter((member) => member.pool === pool);
  const placed = own.filter(({ hostId }) => hostId !== undefined);
  const byHost = groupByHost(placed);
  const most = Math.max(0, ...[...byHost.values()].map((all) => all.length));
  const cap = hostCap({ share }, placed.length);
  const crowded = [...byHost].flatMap(([hostId, all]) =>
    all.length > cap ? [{ hostId, members: all.map(({ name }) => name) }] : [],
  );
  return {
    pool,
    members: placed.length,
    hosts: byHost.size,
    most,
    cap,
    share: formatShare(share),
    verdict: !guaranteed ? "unguarded" : most > cap ? "violated" : "kept",
    crowded,
    absent: own.filter(({ hostId }) => hostId === undefined).map(({ name }) => name),
  };
}

function groupByHost(members: readonly VnfMember[]): Map<string, VnfMember[]> {
  const byHost = new Map<string, VnfMember[]>();
  for (const member of members) {
    if (member.hostId === undefined) continue;
    const all = byHost.get(member.hostId) ?? [];
    byHost.set(member.hostId, all);
    all.push(member);
  }
  return byHost;
}
