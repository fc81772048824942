import type { VnfModel } from "../model/model.ts";
import { securityRules } from "../model/security-rules.ts";
import type { PoolPlan } from "./pool-plan.ts";

/** One limit of an OpenStack project. */
export interface Quota {
  readonly name: string;
  readonly service: "nova" | "neutron" | "cinder";
  readonly unit: "" | "MiB" | "GiB";
  /** What the pools need at their greatest size. */
  readonly needed: number;
  /** What a project has when nobody changed it (nova, neutron and cinder defaults). */
  readonly usual: number;
}

/** What a project must be allowed: at the greatest sizes, since scaling must not fail half way. */
export function quotasOf(model: VnfModel, pools: readonly PoolPlan[]): Quota[] {
  const vdus = new Map(model.vdus.map((vdu) => [vdu.name, vdu]));
  const sum = (of: (vdu: VnfModel["vdus"][number]) => number, times = (plan: PoolPlan) => plan.max): number =>
    pools.reduce((total, plan) => {
      const vdu = vdus.get(plan.pool);
      return vdu === undefined ? total : total + of(vdu) * times(plan);
    }, 0);
  const planned = new Set(pools.map(({ pool }) => pool));
  const rules = securityRules(model, planned).filter(({ vdu }) => planned.has(vdu));
  const quota = (
    service: Quota["service"],
    name: string,
    needed: number,
    usual: number,
    unit: Quota["unit"] = "",
  ): Quota => ({ name, service, unit, needed, usual });
  return [
    quota(
      "nova",
      "instances",
      sum(() => 1),
      10,
    ),
    quota(
      "nova",
      "cores",
      sum(({ size }) => size.vcpus),
      20,
    ),
    quota(
      "nova",
      "ram",
      sum(({ size }) => size.memory),
      51_200,
      "MiB",
    ),
    quota(
      "nova",
      "server_groups",
      pools.reduce((total, { cells }) => total + cells.length, 0),
      10,
    ),
    quota("nova", "server_group_members", Math.max(0, ...pools.flatMap(({ cells }) => cells)), 10),
    quota(
      "neutron",
      "port",
      sum(({ networks }) => networks.length),
      500,
    ),
    quota(
      "neutron",
      "security_group",
      sum(
        ({ networks }) => networks.length,
        () => 1,
      ),
      10,
    ),
    quota("neutron", "security_group_rule", rules.length, 100),
    quota(
      "cinder",
      "volumes",
      sum(({ volumes }) => volumes.length),
      10,
    ),
    quota(
      "cinder",
      "gigabytes",
      sum(({ volumes }) => volumes.reduce((total, size) => total + size, 0)),
      1000,
      "GiB",
    ),
  ];
}
