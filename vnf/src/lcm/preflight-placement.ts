import type { VnfModel } from "../model/model.ts";
import type { ComputeZone } from "../openstack/nova.ts";
import type { Share } from "../placement/share.ts";
import { type AvailabilityZone, planVnf } from "../plan/vnf-plan.ts";
import { type Check, ok, refuse, warn } from "./check.ts";
import type { PoolState } from "./vnf-driver.ts";

/** Zones of the pools by name, with the hosts that are known. */
export function checkZones(
  pools: readonly PoolState[],
  there: readonly ComputeZone[],
  told: ReadonlyMap<string, number>,
  guaranteed: boolean,
  checks: Check[],
): Map<string, AvailabilityZone> {
  const zones = new Map<string, AvailabilityZone>();
  const names = there
    .filter(({ available, name }) => available && name !== "internal")
    .map(({ name }) => name);
  for (const name of new Set(pools.flatMap((pool) => pool.zones))) {
    const zone = there.find((one) => one.name === name);
    if (zone?.available !== true) {
      checks.push(
        refuse(
          "zone",
          `availability zone ${name} ${zone === undefined ? "does not exist" : "is not available"}`,
          `choose dmz_zones and core_zones from ${names.join(", ")}, or have an aggregate made (openstack aggregate create --zone ${name} ...)`,
        ),
      );
      continue;
    }
    const hosts = told.get(name) ?? zone.hosts;
    zones.set(name, { name, ...(hosts === undefined ? {} : { hosts }) });
    if (hosts !== undefined) checks.push(ok("zone", `${name}: ${hosts} hosts`));
    else if (guaranteed)
      checks.push({
        check: "hosts",
        verdict: "unknown",
        what: `${name}: this project may not see how many hosts it has`,
        remedy: `say it with --hosts ${name}=N, or run preflight as an administrator`,
      });
  }
  return zones;
}

export function checkHosts(
  pools: readonly PoolState[],
  known: ReadonlyMap<string, AvailabilityZone>,
  model: VnfModel,
  checks: Check[],
): void {
  const requests = pools.flatMap((pool) => {
    const vdu = model.vdus.find(({ name }) => name === pool.pool);
    const share: Share = pool.share;
    return vdu === undefined ? [] : [{ vdu, size: pool.size, share, placed: pool }];
  });
  const zones = new Map<string, readonly AvailabilityZone[]>();
  for (const pool of pools) {
    const zone = model.vdus.find(({ name }) => name === pool.pool)?.zone;
    if (zone !== undefined)
      zones.set(
        zone,
        pool.zones.map((name) => known.get(name) ?? { name }),
      );
  }
  const planning = planVnf(model, { pools: requests, zones });
  if (planning.kind === "refused")
    for (const { what, reason, remedy } of planning.refusals)
      checks.push(refuse("hosts", `${what}: ${reason}`, remedy));
  else
    for (const { availabilityZone, hostsNeeded, hostsToHeal, hosts } of planning.plan.zones) {
      if (hosts === undefined) continue;
      const spare = hosts < hostsToHeal;
      checks.push(
        spare
          ? warn(
              "hosts",
              `${availabilityZone}: ${hosts} hosts, ${hostsNeeded} needed: none is free when one fails`,
              `${hostsToHeal} hosts let members of a failed host be made anew elsewhere`,
            )
          : ok("hosts", `${availabilityZone}: ${hosts} hosts, ${hostsNeeded} needed`),
      );
    }
}
