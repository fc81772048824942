import type { Json, OpenStack } from "./lab/open-stack.ts";

/** A server of a project, and where it is. */
export interface PlacedServer {
  readonly id: string;
  readonly name: string;
  readonly host: string;
}

/** A server as an administrator sees it. */
export interface SeenServer extends PlacedServer {
  readonly status: string;
  readonly image: string;
}

/** "sprout" of "sprout-3"; undefined: no member of a pool. */
export function poolOf({ name }: Pick<PlacedServer, "name">): string | undefined {
  return /^([a-z]+)-\d+$/.exec(name)?.[1];
}

/**
 * Every server of a project that runs on a host this moment, from the lists that cost Nova least: it can be asked every
 * second.
 */
export async function placedServers(admin: OpenStack, project: string): Promise<PlacedServer[]> {
  const [own, all] = await Promise.all([
    // One that is being built is on a host before Nova's late check of anti-affinity, which may turn it away: no member yet.
    admin.get("compute", `/servers?all_tenants=true&status=ACTIVE&project_id=${project}`),
    admin.get("compute", "/os-hypervisors?with_servers=true"),
  ]);
  // The list of hosts has names of Nova's own for servers.
  const names = new Map(
    (own["servers"] as unknown as Json[]).map((server) => [String(server["id"]), String(server["name"])]),
  );
  return (all["hypervisors"] as unknown as Json[]).flatMap((hypervisor) => {
    const there = (hypervisor["servers"] ?? []) as unknown as Json[];
    const host = String(hypervisor["hypervisor_hostname"]);
    return there.flatMap((server) => {
      const id = String(server["uuid"]);
      const name = names.get(id);
      return name === undefined ? [] : [{ id, name, host }];
    });
  });
}

/** All that is told of the servers of a project. */
export async function serversOf(admin: OpenStack, project: string): Promise<SeenServer[]> {
  const path = `/servers/detail?all_tenants=true&project_id=${project}`;
  const list = (await admin.get("compute", path))["servers"] as unknown as Json[];
  return list.map((server) => ({
    id: String(server["id"]),
    name: String(server["name"]),
    host: String(server["OS-EXT-SRV-ATTR:host"]),
    status: String(server["status"]),
    image: String((server["image"] as Json | undefined)?.["id"] ?? ""),
  }));
}
