import { z } from "zod";
import { isStatus } from "./errors.ts";
import { type OpenStackSession, type Service, signalOf } from "./session.ts";

const NOVA: Service = { type: "compute", name: "nova" };
/** 2.16 tells whether the host is up, to who may know; 2.64 is what Heat uses for server groups. */
const VERSION = { "openstack-api-version": "compute 2.64", "x-openstack-nova-api-version": "2.64" };

const server = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  /** Same for servers of this project on the same host; empty while there is none. */
  hostId: z.string().default(""),
  metadata: z.record(z.string(), z.string()).default({}),
  image: z.union([z.object({ id: z.string() }), z.literal("")]).optional(),
  addresses: z.record(z.string(), z.array(z.object({ addr: z.string() }))).default({}),
  fault: z.object({ message: z.string() }).optional(),
  "OS-EXT-AZ:availability_zone": z.string().nullish(),
  "OS-EXT-STS:task_state": z.string().nullish(),
  /** UP, DOWN, MAINTENANCE, UNKNOWN; for administrators only. */
  host_status: z.string().optional(),
});
export type Server = z.output<typeof server>;

const flavor = z.object({
  id: z.string(),
  name: z.string(),
  vcpus: z.number(),
  ram: z.number(),
  disk: z.number(),
});
export type Flavor = z.output<typeof flavor>;

const zone = z.object({
  zoneName: z.string(),
  zoneState: z.object({ available: z.boolean() }),
  hosts: z
    .record(z.string(), z.record(z.string(), z.object({ active: z.boolean(), available: z.boolean() })))
    .nullish(),
});

/** An availability zone; how many hosts it has for us is for administrators to know. */
export interface ComputeZone {
  readonly name: string;
  readonly available: boolean;
  /** Hosts whose nova-compute is enabled and up. */
  readonly hosts?: number;
}

export interface Limit {
  /** -1: none. */
  readonly most: number;
  readonly used: number;
}

const absolute = z.object({
  maxTotalInstances: z.number(),
  totalInstancesUsed: z.number(),
  maxTotalCores: z.number(),
  totalCoresUsed: z.number(),
  maxTotalRAMSize: z.number(),
  totalRAMUsed: z.number(),
  maxServerGroups: z.number().default(-1),
  totalServerGroupsUsed: z.number().default(0),
  maxServerGroupMembers: z.number().default(-1),
});

/** Nova, compute API v2.1. Every method throws OpenStackError. */
export class Nova {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  /** All servers of the project, page after page. */
  async servers(signal?: AbortSignal): Promise<Server[]> {
    return this.#list(
      "/servers/detail",
      z.object({ servers: z.array(server), servers_links: links }),
      ({ servers, servers_links }) => [servers, servers_links],
      signal,
    );
  }

  async server(id: string, signal?: AbortSignal): Promise<Server | undefined> {
    try {
      const answer = await this.#session.read(
        NOVA,
        { method: "GET", path: `/servers/${id}`, headers: VERSION, ...signalOf(signal) },
        z.object({ server }),
      );
      return answer.server;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Asks the guest to shut down and switches it off, in at most the time its image and the cloud allow (usually 60 s). */
  async stop(id: string, signal?: AbortSignal): Promise<void> {
    await this.#action(id, { "os-stop": null }, signal);
  }

  async start(id: string, signal?: AbortSignal): Promise<void> {
    await this.#action(id, { "os-start": null }, signal);
  }

  async deleteServer(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#session.call(NOVA, { method: "DELETE", path: `/servers/${id}`, ...signalOf(signal) });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  async deleteServerGroup(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#session.call(NOVA, {
        method: "DELETE",
        path: `/os-server-groups/${id}`,
        ...signalOf(signal),
      });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  async serverGroupExists(id: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#session.call(NOVA, { method: "GET", path: `/os-server-groups/${id}`, ...signalOf(signal) });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  async flavors(signal?: AbortSignal): Promise<Flavor[]> {
    return this.#list(
      "/flavors/detail",
      z.object({ flavors: z.array(flavor), flavors_links: links }),
      ({ flavors, flavors_links }) => [flavors, flavors_links],
      signal,
    );
  }

  async limits(signal?: AbortSignal): Promise<ReadonlyMap<string, Limit>> {
    const { limits } = await this.#session.read(
      NOVA,
      { method: "GET", path: "/limits", headers: VERSION, ...signalOf(signal) },
      z.object({ limits: z.object({ absolute }) }),
    );
    const a = limits.absolute;
    return new Map([
      ["instances", { most: a.maxTotalInstances, used: a.totalInstancesUsed }],
      ["cores", { most: a.maxTotalCores, used: a.totalCoresUsed }],
      ["ram", { most: a.maxTotalRAMSize, used: a.totalRAMUsed }],
      ["server_groups", { most: a.maxServerGroups, used: a.totalServerGroupsUsed }],
      ["server_group_members", { most: a.maxServerGroupMembers, used: 0 }],
    ]);
  }

  async zones(signal?: AbortSignal): Promise<ComputeZone[]> {
    const read = (path: string) =>
      this.#session.read(
        NOVA,
        { method: "GET", path, headers: VERSION, ...signalOf(signal) },
        z.object({ availabilityZoneInfo: z.array(zone) }),
      );
    let answer: Awaited<ReturnType<typeof read>>;
    try {
      answer = await read("/os-availability-zone/detail");
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      answer = await read("/os-availability-zone");
    }
    return answer.availabilityZoneInfo.map(({ zoneName, zoneState, hosts }) => ({
      name: zoneName,
      available: zoneState.available,
      ...(hosts === null || hosts === undefined
        ? {}
        : {
            hosts: Object.values(hosts).filter((services) => {
              const compute = new Map(Object.entries(services)).get("nova-compute");
              return compute?.active === true && compute.available;
            }).length,
          }),
    }));
  }

  /** Host aggregates with their zone and hosts; undefined without the right to see them. */
  async aggregates(
    signal?: AbortSignal,
  ): Promise<readonly { readonly zone: string | null; readonly hosts: readonly string[] }[] | undefined> {
    try {
      const { aggregates } = await this.#session.read(
        NOVA,
        { method: "GET", path: "/os-aggregates", headers: VERSION, ...signalOf(signal) },
        z.object({
          aggregates: z.array(
            z.object({ availability_zone: z.string().nullable(), hosts: z.array(z.string()) }),
          ),
        }),
      );
      return aggregates.map(({ availability_zone, hosts }) => ({ zone: availability_zone, hosts }));
    } catch (error) {
      if (isStatus(error, 403)) return undefined;
      throw error;
    }
  }

  async #action(id: string, json: unknown, signal?: AbortSignal): Promise<void> {
    await this.#session.call(NOVA, {
      method: "POST",
      path: `/servers/${id}/action`,
      json,
      headers: VERSION,
      ...signalOf(signal),
    });
  }

  async #list<S extends z.ZodType, T>(
    first: string,
    schema: S,
    parts: (answer: z.output<S>) => [T[], z.output<typeof links>],
    signal: AbortSignal | undefined,
  ): Promise<T[]> {
    const all: T[] = [];
    let path: string | undefined = first;
    for (let page = 0; path !== undefined && page < 1_000; page++) {
      const answer: z.output<S> = await this.#session.read(
        NOVA,
        { method: "GET", path, headers: VERSION, ...signalOf(signal) },
        schema,
      );
      const [items, more] = parts(answer);
      all.push(...items);
      const next: string | undefined = more?.find(({ rel }) => rel === "next")?.href;
      // The link may name another host than the catalogue (a proxy): only what is asked for is taken from it.
      path = next === undefined || items.length === 0 ? undefined : `${first}${new URL(next).search}`;
    }
    return all;
  }
}

const links = z.array(z.object({ rel: z.string(), href: z.string() })).optional();
