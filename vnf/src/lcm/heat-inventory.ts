import type { Cinder } from "../openstack/cinder.ts";
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
const TYPES = [
  "OS::Nova::Server",
  "OS::Cinder::Volume",
  "OS::Neutron::Port",
  "OS::Neutron::Router",
  "OS::Neutron::Subnet",
  "OS::Neutron::Net",
  "OS::Neutron::SecurityGroup",
  "OS::Nova::ServerGroup",
];

export interface InventoryModules {
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
}

/** Servers, volumes, ports, networks and groups of a stack and the stacks in it. */
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
  modules: InventoryModules,
  possessions: readonly Possession[],
  signal?: AbortSignal,
): Promise<Possession[]> {
  const left: Possession[] = [];
  const servers = new Set((await modules.nova.servers(signal)).map(({ id }) => id));
  for (const one of possessions) if (await exists(modules, one, servers, signal)) left.push(one);
  return left;
}

async function exists(
  { nova, neutron, cinder }: InventoryModules,
  { type, id }: Possession,
  servers: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<boolean> {
  if (type === "OS::Nova::Server") return servers.has(id);
  if (type === "OS::Nova::ServerGroup") return nova.serverGroupExists(id, signal);
  if (type === "OS::Cinder::Volume") return cinder.volumeExists(id, signal);
  return neutron.exists(collectionOf(type), id, signal);
}

export async function removePossession(
  { nova, neutron, cinder }: InventoryModules,
  { type, id }: Possession,
  signal?: AbortSignal,
): Promise<void> {
  if (type === "OS::Nova::Server") await nova.deleteServer(id, signal);
  else if (type === "OS::Nova::ServerGroup") await nova.deleteServerGroup(id, signal);
  else if (type === "OS::Cinder::Volume") await cinder.deleteVolume(id, signal);
  else await neutron.delete(collectionOf(type), id, signal);
}

function collectionOf(type: string): string {
  const collection = NETWORK_COLLECTIONS.get(type);
  if (collection === undefined) throw new Error(`${type} has no collection`);
  return collection;
}
