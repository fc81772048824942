import { z } from "zod";
import { isStatus } from "./errors.ts";
import type { Limit } from "./nova.ts";
import { type OpenStackSession, type Service, signalOf } from "./session.ts";

const NEUTRON: Service = { type: "network", name: "neutron" };

const network = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  shared: z.boolean().default(false),
  "router:external": z.boolean().default(false),
  subnets: z.array(z.string()).default([]),
  project_id: z.string().optional(),
  /** Absent without the extension port-security. */
  port_security_enabled: z.boolean().optional(),
});
export type CloudNetwork = z.output<typeof network>;

const quota = z.object({ limit: z.number(), used: z.number(), reserved: z.number().default(0) });

/** Collections of the network API, by Heat's resource type. */
export const NETWORK_COLLECTIONS: ReadonlyMap<string, string> = new Map([
  ["OS::Neutron::Port", "ports"],
  ["OS::Neutron::Router", "routers"],
  ["OS::Neutron::Subnet", "subnets"],
  ["OS::Neutron::Net", "networks"],
  ["OS::Neutron::SecurityGroup", "security-groups"],
]);

/** Neutron, network API v2.0. Every method throws OpenStackError. */
export class Neutron {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  async networks(signal?: AbortSignal): Promise<CloudNetwork[]> {
    const { networks } = await this.#session.read(
      NEUTRON,
      { method: "GET", path: await this.#path("/networks", signal), ...signalOf(signal) },
      z.object({ networks: z.array(network) }),
    );
    return networks;
  }

  /** Its id: of this project are the networks that it owns. */
  async project(signal?: AbortSignal): Promise<string> {
    return (await this.#session.project(signal)).id;
  }

  /** Limits and use of the project, by the name of the quota. */
  async quotas(signal?: AbortSignal): Promise<ReadonlyMap<string, Limit>> {
    const { id } = await this.#session.project(signal);
    const path = await this.#path(`/quotas/${id}/details`, signal);
    const answer = await this.#session.read(
      NEUTRON,
      { method: "GET", path, ...signalOf(signal) },
      z.object({ quota: z.record(z.string(), quota) }),
    );
    return new Map(
      Object.entries(answer.quota).map(([name, { limit, used, reserved }]) => [
        name,
        { most: limit, used: used + reserved },
      ]),
    );
  }

  async exists(collection: string, id: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const path = await this.#path(`/${collection}/${id}?fields=id`, signal);
      await this.#session.call(NEUTRON, { method: "GET", path, ...signalOf(signal) });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  async delete(collection: string, id: string, signal?: AbortSignal): Promise<void> {
    try {
      const path = await this.#path(`/${collection}/${id}`, signal);
      await this.#session.call(NEUTRON, { method: "DELETE", path, ...signalOf(signal) });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Catalogues have the endpoint with or without the version. */
  async #path(path: string, signal?: AbortSignal): Promise<string> {
    const base = await this.#session.endpoint(NEUTRON, signal);
    return base.endsWith("/v2.0") ? path : `/v2.0${path}`;
  }
}
