import type { Heat, StackRef, StackResource } from "../openstack/heat.ts";
import { NETWORK_COLLECTIONS, type Neutron } from "../openstack/neutron.ts";
import type { Nova } from "../openstack/nova.ts";

/** A thing of the cloud that a stack has made. */
export interface Possession {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/** In the order in which they can be deleted. */
const TYPES = ["OS::Nova::Server", "OS::Neutron::Port", "OS::Neutron::Router", "OS::Neutron::Subnet"].concat([
  "OS::Neutron::Net",
  "OS::Neutron::SecurityGroup",
  "OS::Nova::ServerGroup",
]);

export interface InventoryModules {
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
}

/** Servers, ports, networks and groups of a stack and the stacks in it. */
export async function possessionsOf(
  { heat }: InventoryModules,
  stack: StackRef,
  signal?: AbortSignal,
): Promise<Possession[]> {
  return possessionsIn((await heat.resources(stack, 5, signal)) ?? []);
}

export function possessionsIn(resources: readonly StackResource[]): Possession[] {
  return resources
    .flatMap(({ resource_type: type, physical_resource_id: id, resource_name, parent_resource }) =>
      TYPES.includes(type) && id
        ? [{ type, id, name: parent_resource ? `${parent_resource}.${resource_name}` : resource_name }]
        : [],
    )
    .sort((a, b) => TYPES.indexOf(a.type) - TYPES.indexOf(b.type));
}

/** Those of them that are still there. */
export async function stillThere(
  { nova, neutron }: InventoryModules,
  possessions: readonly Possession[],
  signal?: AbortSignal,
): Promise<Possession[]> {
  const left: Possession[] = [];
  const servers = new Set((await nova.servers(signal)).map(({ id }) => id));
  for (const one of possessions) {
    const collection = NETWORK_COLLECTIONS.get(one.type);
    const there =
      one.type === "OS::Nova::Server"
        ? servers.has(one.id)
        : collection === undefined
          ? await nova.serverGroupExists(one.id, signal)
          : await neutron.exists(collection, one.id, signal);
    if (there) left.push(one);
  }
  return left;
}

export async function removePossession(
  { nova, neutron }: InventoryModules,
  { type, id }: Possession,
  signal?: AbortSignal,
): Promise<void> {
  const collection = NETWORK_COLLECTIONS.get(type);
  if (type === "OS::Nova::Server") await nova.deleteServer(id, signal);
  else if (collection === undefined) await nova.deleteServerGroup(id, signal);
  else await neutron.delete(collection, id, signal);
}
