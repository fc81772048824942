import { createHash, randomUUID } from "node:crypto";

export interface FakeServer {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly group: string;
  host: string;
  status: string;
  image: string;
}

/** Hosts in zones, and servers on them with hard anti-affinity in their group; the least used host first. */
export class FakeCompute {
  readonly hosts = new Map<string, string[]>();
  readonly down = new Set<string>();
  readonly servers = new Map<string, FakeServer>();
  /** Ports, networks and groups that exist, with their collection. */
  readonly things = new Map<string, string>();
  /** Things that outlive their stack. */
  readonly sticky = new Set<string>();

  constructor(zones: Readonly<Record<string, number>>) {
    for (const [zone, count] of Object.entries(zones))
      this.hosts.set(
        zone,
        Array.from({ length: count }, (_, at) => `${zone}-${at + 1}`),
      );
  }

  boot(name: string, zone: string, image: string, group: string): FakeServer {
    const all = [...this.servers.values()];
    const [host] = (this.hosts.get(zone) ?? [])
      .filter(
        (one) => !this.down.has(one) && !all.some((server) => server.host === one && server.group === group),
      )
      .sort(
        (a, b) =>
          all.filter(({ host: on }) => on === a).length - all.filter(({ host: on }) => on === b).length,
      );
    const status = host === undefined ? "ERROR" : "ACTIVE";
    const server = { id: randomUUID(), name, zone, group, host: host ?? "", status, image };
    this.servers.set(server.id, server);
    return server;
  }

  remove(id: string): void {
    if (!this.sticky.has(id)) this.servers.delete(id);
  }

  shown(server: FakeServer): object {
    const { id, name, status, host, image, zone } = server;
    return {
      id,
      name,
      status,
      hostId: host === "" ? "" : createHash("sha224").update(`project${host}`).digest("hex"),
      image: { id: `image-${image}`, links: [] },
      metadata: { pool: name.replace(/-\d+$/, "") },
      addresses: { core: [{ addr: "10.20.3.11", version: 4 }] },
      "OS-EXT-AZ:availability_zone": zone,
      "OS-EXT-STS:task_state": null,
      ...(status === "ERROR" ? { fault: { message: "No valid host was found.", code: 500 } } : {}),
    };
  }
}
