import type { VnfModel } from "../model/model.ts";
import { cellMap } from "../placement/cells.ts";
import { type PoolPlan, type PoolRequest, planPool, type Refusal, toleranceOf } from "./pool-plan.ts";
import { type Quota, quotasOf } from "./quotas.ts";

/** An availability zone, and how many hosts for our use are known to be in it. */
export interface AvailabilityZone {
  readonly name: string;
  readonly hosts?: number;
}

export interface VnfRequest {
  readonly pools: readonly PoolRequest[];
  /** Availability zones of each placement zone; default: one of the same name, its hosts unknown. */
  readonly zones?: ReadonlyMap<string, readonly AvailabilityZone[]>;
}

/** Hosts of one availability zone: pools share them, so the pool that needs most decides. */
export interface ZonePlan {
  readonly zone: string;
  readonly availabilityZone: string;
  readonly hostsNeeded: number;
  /** One more than needed: a member can be replaced before the old one is gone. */
  readonly hostsToHeal: number;
  readonly hosts?: number;
}

export interface VnfPlan {
  readonly pools: readonly PoolPlan[];
  readonly zones: readonly ZonePlan[];
  readonly quotas: readonly Quota[];
}

export type VnfPlanning =
  | { readonly kind: "plan"; readonly plan: VnfPlan }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

/** Plans the pools of a VNF, or says of everything that cannot be why not and what would help. */
export function planVnf(model: VnfModel, request: VnfRequest): VnfPlanning {
  const refusals: Refusal[] = [];
  const plans: PoolPlan[] = [];
  const azsOf = (zone: string): readonly AvailabilityZone[] => request.zones?.get(zone) ?? [{ name: zone }];
  const placementOf = new Map<string, string>();
  for (const { name } of model.zones)
    for (const az of azsOf(name)) {
      const other = placementOf.get(az.name);
      if (other !== undefined)
        refusals.push({
          what: az.name,
          reason: `zones ${other} and ${name} would share the hosts of ${az.name}`,
          remedy: "give each its own availability zone, made of a host aggregate",
        });
      placementOf.set(az.name, name);
    }
  for (const pool of request.pools) {
    const azs = azsOf(pool.vdu.zone);
    const planning = planPool(pool, azs.length);
    if (planning.kind === "refused") refusals.push(...planning.refusals);
    else {
      plans.push(planning.plan);
      refusals.push(...tooFewHosts(pool, planning.plan, azs));
    }
  }
  if (refusals.length > 0) return { kind: "refused", refusals };
  const used = model.zones.filter(({ name }) => plans.some(({ zone }) => zone === name));
  const zones = used.flatMap(({ name }) =>
    azsOf(name).map((az, at): ZonePlan => {
      const needed = Math.max(
        ...plans.filter(({ zone }) => zone === name).map(({ hosts }) => hosts[at] ?? 0),
      );
      return {
        zone: name,
        availabilityZone: az.name,
        hostsNeeded: needed,
        hostsToHeal: needed + 1,
        ...(az.hosts === undefined ? {} : { hosts: az.hosts }),
      };
    }),
  );
  return { kind: "plan", plan: { pools: plans, zones, quotas: quotasOf(model, plans) } };
}

function tooFewHosts(request: PoolRequest, plan: PoolPlan, azs: readonly AvailabilityZone[]): Refusal[] {
  return azs.flatMap(({ name, hosts }, at) => {
    const needed = plan.hosts[at] ?? 0;
    if (hosts === undefined || hosts >= needed) return [];
    const { placed, ...asShared } = request;
    const own = placed !== undefined && !isSame(plan.cellMap, cellMap(toleranceOf(request), plan.max));
    const fits = own ? undefined : coarserShare(asShared, azs);
    const hosted = `${plan.max} ${plan.pool}s need ${needed} there`;
    const share = `${plan.tolerated.share} of them${plan.tolerated.members === undefined ? "" : ` or more than ${plan.tolerated.members}`}`;
    return [
      {
        what: plan.pool,
        reason: `zone ${name} has ${hosts} host${hosts === 1 ? "" : "s"}; ${hosted} ${own ? `with the cells of ${plan.pool}_cell_map` : `so that no host ever has more than ${share}`}`,
        remedy: `add ${needed - hosts} host${needed - hosts === 1 ? "" : "s"} to ${name}${fits === undefined ? "" : `, or tolerate ${fits}`}${own ? `, or leave ${plan.pool}_cell_map as it comes` : ""}`,
      },
    ];
  });
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

/** The finest share 1/d coarser than the one asked for that the hosts are enough for. */
function coarserShare(request: PoolRequest, azs: readonly AvailabilityZone[]): string | undefined {
  const { numerator, denominator } = toleranceOf(request).share;
  for (let parts = Math.ceil(denominator / numerator) - 1; parts >= 1; parts--) {
    const planning = planPool({ ...request, share: { numerator: 1, denominator: parts } }, azs.length);
    if (planning.kind === "refused") continue;
    const enough = azs.every(
      ({ hosts }, at) => hosts === undefined || hosts >= (planning.plan.hosts[at] ?? 0),
    );
    if (enough) return parts === 1 ? "the loss of the whole pool (1)" : `1/${parts}`;
  }
  return undefined;
}
