import { type Heat, type Stack, statusOf } from "../openstack/heat.ts";
import type { Nova } from "../openstack/nova.ts";
import { changeStack, minutes, userDataKept } from "./heat-change.ts";
import type { HeatMember } from "./heat-tree.ts";
import { failed, type Outcome, type Run } from "./outcome.ts";
import { removeServers } from "./remove-servers.ts";
import type { PoolState } from "./vnf-driver.ts";

/**
 * Makes members anew. The old server is deleted first: its cell then has room for the new one on any host without one of the
 * cell, and no host ever has one more than before; its ports, so its addresses, stay.
 */
export async function healByHeat(
  { heat, nova }: { readonly heat: Heat; readonly nova: Nova },
  stack: Stack,
  pools: readonly PoolState[],
  members: readonly HeatMember[],
  run: Run,
): Promise<Outcome> {
  const next = [
    "the same command again goes on from here",
    `a host of the zone must be free of the member's cell: tidewater vnf placement audit ${stack.stack_name}`,
  ];
  for (const { name, stack: own, resources } of members) {
    if (own === undefined) return failed(`${name} has no stack of its own yet`, [], next);
    const reason = "to be made anew by tidewater vnf heal";
    for (const resource of resources)
      if (
        resource.resource_type === "OS::Nova::Server" ||
        resource.resource_type.startsWith("OS::Heat::WaitCondition")
      )
        await heat.markUnhealthy(own, resource.resource_name, reason, run.signal);
  }
  const kept = await removeServers(nova, members, run, next);
  if (kept !== undefined) return kept;
  return changeStack(
    heat,
    {
      stack,
      pools,
      submit: () =>
        heat.patch(
          { name: stack.stack_name, id: stack.id },
          { update_pause: 0, ...userDataKept(statusOf(stack.stack_status) === "COMPLETE") },
          minutes(run.timeoutMs),
          run.signal,
        ),
      said: `made anew: ${members.map(({ name }) => name).join(", ")}`,
      clearHooks: true,
      next,
    },
    run,
  );
}
