import { actionOf, type Stack, statusOf } from "../openstack/heat.ts";
import type { PoolState, VnfInstance } from "./vnf-driver.ts";

const listed = (text: string | undefined): string[] =>
  text === undefined || text === ""
    ? []
    : text
        .replace(/^\[|\]$/g, "")
        .split(",")
        .map((one) => one.trim());

/** Pools by the parameters of ims.yaml. */
export function poolsOf(parameters: ReadonlyMap<string, string>): PoolState[] {
  return [...parameters].flatMap(([name, value]) => {
    const [, pool] = /^([a-z][a-z0-9]*)_count$/.exec(name) ?? [];
    const cells = parameters.get(`${pool}_cell_map`);
    const perShare = Number(parameters.get(`${pool}_members_per_share`));
    // A pool that was left out.
    if (Number(value) === 0) return [];
    if (pool === undefined || cells === undefined || !(perShare >= 1)) return [];
    const zones = parameters.get(pool === "bono" ? "dmz_zones" : "core_zones");
    return [
      {
        pool,
        size: Number(value),
        share: { numerator: 1, denominator: perShare },
        spare: Number(parameters.get(`${pool}_spare`) ?? 0),
        cellMap: listed(cells).map(Number),
        zoneMap: listed(parameters.get(`${pool}_zone_map`)).map(Number),
        zones: listed(zones),
      },
    ];
  });
}

/** A stack made from ims.yaml; undefined: made from something else. */
export function instanceOf(stack: Stack): VnfInstance | undefined {
  const parameters = new Map(
    Object.entries(stack.parameters).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const pools = poolsOf(parameters);
  if (pools.length === 0) return undefined;
  const status = statusOf(stack.stack_status);
  return {
    name: stack.stack_name,
    id: stack.id,
    status: stack.stack_status,
    state: status === "IN_PROGRESS" ? "busy" : status === "COMPLETE" ? "ready" : "failed",
    reason: stack.stack_status_reason ?? "",
    guaranteed: parameters.get("placement") !== "unguarded",
    pools,
    parameters,
  };
}

export function isDeleting(instance: VnfInstance): boolean {
  return actionOf(instance.status) === "DELETE";
}
