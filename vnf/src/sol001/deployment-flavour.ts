import type { VnfModel } from "../model/model.ts";
import type { Vdu } from "../model/schemas.ts";
import { cellMap, hostCap } from "../placement/cells.ts";
import { toleranceOf } from "../plan/pool-plan.ts";
import type { FlavourFacts, Profile } from "./vnfd-facts.ts";

/** A pool as one scaling aspect: a scale level for each of its sizes. */
export interface PoolScaling {
  readonly vdu: Vdu;
  readonly guarded: boolean;
  /** Members at scale level 0, 1, ... */
  readonly sizes: readonly number[];
  readonly step: number;
  /** Cell of each member up to the greatest size; without a guarantee every member has one of its own. */
  readonly cellMap: readonly number[];
}

/** A Vdu.Compute of a descriptor: a cell of a pool, or the pool. */
export interface DescriptorVdu {
  readonly id: string;
  readonly pool: PoolScaling;
  readonly cell?: number;
  /** Instances at each scale level of the pool's aspect. */
  readonly instances: readonly number[];
}

export interface DeploymentFlavour {
  readonly name: string;
  readonly description: string;
  readonly guarded: boolean;
  readonly pools: readonly PoolScaling[];
  readonly defaultLevel: string;
  /** By name; the size of each pool. */
  readonly levels: readonly {
    readonly name: string;
    readonly description: string;
    readonly sizes: ReadonlyMap<string, number>;
  }[];
  readonly availabilityZone?: string;
  readonly flavor?: string;
}

export function deploymentFlavour(model: VnfModel, facts: FlavourFacts): DeploymentFlavour {
  const guarded = !facts.unguarded;
  const pools = model.vdus.flatMap((vdu): PoolScaling[] => {
    const pool = facts.pools[vdu.name];
    if (pool === undefined) return [];
    const { initial, step, max } = pool;
    const sizes = Array.from({ length: (max - initial) / step + 1 }, (_, level) => initial + level * step);
    const cells = guarded
      ? cellMap(toleranceOf({ vdu, size: max }), max)
      : Array.from({ length: max }, (_, member) => member);
    return [{ vdu, guarded, sizes, step, cellMap: cells }];
  });
  return {
    name: facts.name,
    description: facts.description,
    guarded,
    pools,
    defaultLevel: facts.default_level,
    levels: facts.levels.map(({ name, description, pools: sizes }) => ({
      name,
      description,
      sizes: new Map(Object.entries(sizes)),
    })),
    ...(facts.availability_zone === undefined ? {} : { availabilityZone: facts.availability_zone }),
    ...(facts.flavor === undefined ? {} : { flavor: facts.flavor }),
  };
}

export function scaleLevel(pool: PoolScaling, size: number): number {
  return pool.sizes.indexOf(size);
}

/** Members the pool can do without at a size: what the failure of one host takes at most. */
export function spareMembers({ vdu, guarded }: PoolScaling, size: number): number {
  return guarded ? hostCap(toleranceOf({ vdu, size }), size) : 0;
}

/**
 * SOL 001 has anti-affinity inside a VDU and no share of one, so from version 4 on each cell is a VDU. In 2.6.1 a pool is one
 * VDU: what is made of it (Tacker) takes uniform deltas and VDUs that have an instance already, and the template makes the cells.
 */
export function descriptorVdus(flavour: DeploymentFlavour, profile: Profile): DescriptorVdu[] {
  return flavour.pools.flatMap((pool): DescriptorVdu[] => {
    const { name } = pool.vdu;
    if (profile === "sol001-2.6.1" || !flavour.guarded) return [{ id: name, pool, instances: pool.sizes }];
    const cells = Math.max(...pool.cellMap) + 1;
    return Array.from({ length: cells }, (_, cell) => ({
      id: `${name}_cell_${cell}`,
      pool,
      cell,
      instances: pool.sizes.map((size) => pool.cellMap.slice(0, size).filter((of) => of === cell).length),
    }));
  });
}
