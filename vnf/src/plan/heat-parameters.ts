import type { VnfPlan } from "./vnf-plan.ts";

export type HeatParameters =
  | { readonly kind: "parameters"; readonly parameters: ReadonlyMap<string, string | number> }
  | { readonly kind: "bad"; readonly problem: string };

/** The plan as parameters of heat-templates/ims.yaml. The templates know shares of one in so many members only. */
export function heatParameters({ pools, zones }: VnfPlan): HeatParameters {
  const parameters = new Map<string, string | number>();
  for (const { zone, availabilityZone } of zones) {
    const name = `${zone}_zones`;
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? availabilityZone : `${before},${availabilityZone}`);
  }
  for (const { pool, size, tolerated, hostCap, cellMap, zoneMap } of pools) {
    const [, membersPerShare] = /^1(?:\/(\d+))?$/.exec(tolerated.share) ?? ["", ""];
    if (membersPerShare === "")
      return {
        kind: "bad",
        problem: `${pool}: the templates take shares of the form 1/n, not ${tolerated.share}`,
      };
    parameters.set(`${pool}_count`, size);
    parameters.set(`${pool}_spare`, hostCap);
    parameters.set(`${pool}_members_per_share`, Number(membersPerShare ?? 1));
    parameters.set(`${pool}_cell_map`, cellMap.join(","));
    parameters.set(`${pool}_zone_map`, zoneMap.join(","));
  }
  return { kind: "parameters", parameters };
}
