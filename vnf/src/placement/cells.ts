import { formatShare, type Share } from "./share.ts";

/** Largest pool a plan is made for. */
export const POOL_MAX = 1000;

/** What a host may take with it when it fails. */
export interface Tolerance {
  readonly share: Share;
  /** Members at most, whatever the share allows: the k of N+k; default: the share alone decides. */
  readonly members?: number;
}

/**
 * The greatest number of members one host may hold while a pool has `size` members: the share rounded down, no more than
 * the tolerated members, and at least one, since a member is on some host.
 */
export function hostCap({ share, members = Number.POSITIVE_INFINITY }: Tolerance, size: number): number {
  return Math.max(1, Math.min(members, Math.floor((share.numerator * size) / share.denominator)));
}

/**
 * The cell of every member 0 .. size-1. A cell is a server group with hard anti-affinity: a host holds at most one member
 * of each. Member i is, for ever, in the emptiest of the first hostCap(i + 1) cells, so while the pool is {0 .. n-1} no
 * more than hostCap(n) cells have members, and no host holds more than hostCap(n). The map of a smaller pool is a prefix
 * of the map of a larger one: no member changes its cell when the pool changes its size.
 *
 * @throws RangeError for a size that is no integer from 0 to POOL_MAX, or a tolerance of less than one member
 */
export function cellMap(tolerance: Tolerance, size: number): number[] {
  if (!Number.isInteger(size) || size < 0 || size > POOL_MAX)
    throw new RangeError(`no pool size from 0 to ${POOL_MAX}: ${size}`);
  if (tolerance.members !== undefined && !(tolerance.members >= 1))
    throw new RangeError(`a host has to be allowed one member at least, not ${tolerance.members}`);
  const sizes: number[] = [];
  const map: number[] = [];
  for (let member = 0; member < size; member++) {
    const open = hostCap(tolerance, member + 1);
    while (sizes.length < open) sizes.push(0);
    const cell = sizes.indexOf(Math.min(...sizes));
    sizes[cell] = (sizes[cell] ?? 0) + 1;
    map.push(cell);
  }
  return map;
}

/** How many members each cell has. */
export function cellSizes(map: readonly number[]): number[] {
  const sizes: number[] = [];
  for (const cell of map) {
    while (sizes.length <= cell) sizes.push(0);
    sizes[cell] = (sizes[cell] ?? 0) + 1;
  }
  return sizes;
}

/** Hosts a pool needs to get to its size member by member: the largest cell, since all cells share the hosts. */
export function hostsNeeded(map: readonly number[]): number {
  return Math.max(0, ...cellSizes(map));
}

export function describeTolerance({ share, members }: Tolerance): string {
  return members === undefined
    ? formatShare(share)
    : `${formatShare(share)}, ${members} member${members === 1 ? "" : "s"} at most`;
}
