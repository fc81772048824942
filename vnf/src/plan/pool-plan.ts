import type { Vdu } from "../model/schemas.ts";
import { cellMap, cellSizes, hostCap, type Tolerance } from "../placement/cells.ts";
import { exceeds, formatShare, type Share, smallestPool } from "../placement/share.ts";
import { scalingSteps } from "../placement/steps.ts";
import { hostsPerZone, zoneMap } from "../placement/zones.ts";

/** What is wanted of one pool. */
export interface PoolRequest {
  readonly vdu: Vdu;
  readonly size: number;
  /** Size it may be scaled to; default: size. */
  readonly max?: number;
  /** Default: that of the VDU. */
  readonly share?: Share;
  /** Cells and zones of the members as whoever deploys them has them; default: what the share needs. */
  readonly placed?: { readonly cellMap: readonly number[]; readonly zoneMap: readonly number[] };
}

/** One pool, placed. */
export interface PoolPlan {
  readonly pool: string;
  readonly zone: string;
  readonly size: number;
  readonly max: number;
  readonly tolerated: { readonly share: string; readonly members?: number };
  /** Most members on one host at `size`. */
  readonly hostCap: number;
  /** Members of each cell at `max`; a cell is a server group with anti-affinity. */
  readonly cells: readonly number[];
  /** Cell of each member 0 .. max-1. */
  readonly cellMap: readonly number[];
  /** Availability zone (its place in the list) of each member. */
  readonly zoneMap: readonly number[];
  /** Hosts needed in each availability zone on the way to `max`. */
  readonly hosts: readonly number[];
  /** Sizes to go through from nothing to `size`, and from `size` to `max`. */
  readonly steps: { readonly toSize: readonly number[]; readonly toMax: readonly number[] };
}

/** Why something cannot be, and what would help. */
export interface Refusal {
  readonly what: string;
  readonly reason: string;
  readonly remedy: string;
}

export type PoolPlanning =
  | { readonly kind: "plan"; readonly plan: PoolPlan }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

export function toleranceOf({ vdu, share = vdu.tolerated.share }: PoolRequest): Tolerance {
  const { members } = vdu.tolerated;
  // Who tolerates the whole pool has one host: a limit of members would ask for more.
  return members === undefined || share.numerator === share.denominator ? { share } : { share, members };
}

/** Plans one pool over so many availability zones. */
export function planPool(request: PoolRequest, zones: number): PoolPlanning {
  const { vdu, size, max = size } = request;
  const refusals: Refusal[] = [];
  const refuse = (reason: string, remedy: string): void => {
    refusals.push({ what: vdu.name, reason, remedy });
  };
  const { min, max: most } = vdu.pool;
  if (size < min || max > most)
    refuse(
      `${size < min ? size : max} ${vdu.name}s: the model allows ${min} to ${most}`,
      `choose a size in that range, or change pool of ${vdu.name} in vdus.yaml`,
    );
  if (max < size) refuse(`to be scaled to ${max}, below its size of ${size}`, "write the smaller size first");
  const tolerance = toleranceOf(request);
  const { share } = tolerance;
  if (exceeds(1, size, share)) {
    const least = smallestPool(share);
    refuse(
      `one of ${size} is a share of 1/${size}, more than the ${formatShare(share)} that a host may take with it`,
      `plan ${least} at least, or tolerate 1/${size}`,
    );
  }
  if (refusals.length > 0) return { kind: "refused", refusals };
  const needed = cellMap(tolerance, max);
  const { placed = { cellMap: needed, zoneMap: zoneMap(needed, zones) } } = request;
  const map = continued(placed.cellMap, needed);
  const zonesOf = continued(placed.zoneMap, zoneMap(map, zones));
  return {
    kind: "plan",
    plan: {
      pool: vdu.name,
      zone: vdu.zone,
      size,
      max,
      tolerated: {
        share: formatShare(share),
        ...(tolerance.members === undefined ? {} : { members: tolerance.members }),
      },
      hostCap: hostCap(tolerance, size),
      cells: cellSizes(map),
      cellMap: map,
      zoneMap: zonesOf,
      hosts: hostsPerZone(map, zonesOf, zones),
      steps: { toSize: scalingSteps(tolerance, 0, size), toMax: scalingSteps(tolerance, size, max) },
    },
  };
}

/** A list as it is, to the length of the other one, and from there on as that one is. */
function continued(list: readonly number[], other: readonly number[]): number[] {
  return [...list.slice(0, other.length), ...other.slice(list.length)];
}
