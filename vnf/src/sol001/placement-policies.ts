import { type DeploymentFlavour, type DescriptorVdu, descriptorVdus } from "./deployment-flavour.ts";
import { type Profile, policy, type ToscaMap } from "./tosca.ts";

/** Time a member has to drain before its host may go. */
const LEAD_TIME = "300 s";
/** Time until what a member held is on others again. */
const RECOVERY_TIME = "120 s";

/**
 * N+k as SOL 001 says it (NfviMaintenanceInfo): of each cell one member may be gone at a time, and a pool of so many members
 * has so many cells in use that together they are the k members it can do without.
 */
export function nfviMaintenanceInfo({ instances }: DescriptorVdu): ToscaMap {
  const sizes = [...new Set(instances)].filter((size) => size > 0).sort((a, b) => a - b);
  const preserved = sizes.filter((size) => size > 1);
  return {
    impact_notification_lead_time: LEAD_TIME,
    is_impact_mitigation_requested: true,
    supported_migration_type: ["no_migration"],
    min_recovery_time_between_impacts: RECOVERY_TIME,
    max_number_of_impacted_instances: sizes.map((size) => ({
      group_size: size,
      max_number_of_impacted_instances: 1,
    })),
    ...(preserved.length === 0
      ? {}
      : {
          min_number_of_preserved_instances: preserved.map((size) => ({
            group_size: size,
            min_number_of_preserved_instances: size - 1,
          })),
        }),
  };
}

/**
 * One rule for each cell: no host holds two of its members. A pool of several cells that is one VDU (2.6.1) has none, since the
 * rule would ask for a host for every member; its cells are server groups of the template.
 */
export function placementPolicies(flavour: DeploymentFlavour, profile: Profile): [string, ToscaMap][] {
  if (!flavour.guarded) return [];
  return descriptorVdus(flavour, profile)
    .filter(({ cell, pool }) => cell !== undefined || new Set(pool.cellMap).size === 1)
    .map(({ id }) => [`${id}_apart`, policy("AntiAffinityRule", { scope: "nfvi_node" }, [id])]);
}
