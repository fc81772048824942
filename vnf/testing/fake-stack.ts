import { randomUUID } from "node:crypto";
import type { FakeCompute } from "./fake-compute.ts";

interface FakeMember {
  readonly pool: string;
  readonly index: number;
  readonly stackId: string;
  /** Ports, and a data volume. */
  readonly things: readonly { readonly type: string; readonly name: string; readonly id: string }[];
  serverId: string | undefined;
  /** Join token in the user data it was made with. */
  token: string | undefined;
  status: string;
  reason: string;
  unhealthy: boolean;
}

/** What the templates make of a pool's parameters, member by member, a few at every turn. */
export class FakeStack {
  readonly id = randomUUID();
  readonly name: string;
  readonly created = "2026-11-21T10:00:00Z";
  parameters: Map<string, string>;
  status = "CREATE_IN_PROGRESS";
  reason = "";
  updated: string | null = null;
  readonly members: FakeMember[] = [];
  readonly groups = new Map<string, string>();
  readonly nets: { readonly name: string; readonly id: string }[] = [];
  /** Turns that go by before anything is done: a slow Heat. */
  idle = 0;
  /** Deletion waits at a member's hook until it is cleared. */
  hook = false;
  /** Deletions that fail. */
  failDeletes = 0;
  #updates = 0;
  readonly #compute: FakeCompute;
  readonly #base: string;

  constructor(name: string, parameters: Map<string, string>, compute: FakeCompute, base: string) {
    this.name = name;
    this.parameters = parameters;
    this.#compute = compute;
    this.#base = base;
    for (const net of ["access", "mw", "core", "management"])
      this.nets.push(this.#own(`${name}-${net}`, "networks"));
  }

  #own(name: string, collection: string): { name: string; id: string } {
    const id = randomUUID();
    this.#compute.things.set(id, collection);
    return { name, id };
  }

  get pools(): string[] {
    return [...this.parameters.keys()].flatMap((key) => (key.endsWith("_count") ? [key.slice(0, -6)] : []));
  }

  groupId(pool: string): string {
    const id = this.groups.get(pool) ?? randomUUID();
    this.groups.set(pool, id);
    return id;
  }

  update(parameters: ReadonlyMap<string, string>): void {
    for (const [name, value] of parameters) this.parameters.set(name, value);
    this.status = "UPDATE_IN_PROGRESS";
    this.updated = `2026-11-21T11:00:${String(this.#updates++).padStart(2, "0")}Z`;
  }

  /** One turn of the engine. True: it is gone. */
  turn(): boolean {
    if (!this.status.endsWith("IN_PROGRESS")) return false;
    if (this.idle > 0) {
      this.idle--;
      return false;
    }
    return this.status.startsWith("DELETE") ? this.#delete() : this.#converge();
  }

  #delete(): boolean {
    if (this.hook) return false;
    if (this.failDeletes > 0) {
      this.failDeletes--;
      this.status = "DELETE_FAILED";
      this.reason =
        "Resource DELETE failed: Conflict: resources.mw: There are one or more ports still in use";
      return false;
    }
    for (const member of this.members.splice(-4)) this.#remove(member);
    if (this.members.length > 0) return false;
    for (const { id } of this.nets) if (!this.#compute.sticky.has(id)) this.#compute.things.delete(id);
    return true;
  }

  #remove(member: FakeMember): void {
    if (member.serverId !== undefined) this.#compute.remove(member.serverId);
    for (const { id } of member.things) if (!this.#compute.sticky.has(id)) this.#compute.things.delete(id);
  }

  #converge(): boolean {
    let left = 3;
    const image = this.parameters.get("image") ?? "";
    const failures: string[] = [];
    for (const pool of this.pools) {
      const count = Number(this.parameters.get(`${pool}_count`));
      const cells = (this.parameters.get(`${pool}_cell_map`) ?? "").split(",").map(Number);
      const zone = this.parameters.get(pool === "bono" ? "dmz_zones" : "core_zones") ?? "";
      for (const member of this.members.filter((one) => one.pool === pool && one.index >= count).reverse())
        if (left-- > 0) {
          this.#remove(member);
          this.members.splice(this.members.indexOf(member), 1);
        }
      for (let index = 0; index < count; index++) {
        let member = this.members.find((one) => one.pool === pool && one.index === index);
        const server = this.#compute.servers.get(member?.serverId ?? "");
        const rebuilt = server?.image === image && !this.#replaces(member);
        if (member !== undefined && member.status === "COMPLETE" && !member.unhealthy && rebuilt) continue;
        if (left-- <= 0) break;
        if (member === undefined) {
          const own = (type: string, collection: string) => (name: string) => ({
            ...{ type, ...this.#own(name, collection) },
          });
          const things = ["core_port", "management_port"].map(own("OS::Neutron::Port", "ports"));
          if (pool === "vellum" && Number(this.parameters.get("vellum_volume")) > 0)
            things.push(own("OS::Cinder::Volume", "volumes")("volume"));
          member = {
            pool,
            index,
            stackId: randomUUID(),
            things,
            serverId: undefined,
            token: undefined,
            status: "",
            reason: "",
            unhealthy: false,
          };
          this.members.push(member);
        } else if (
          server !== undefined &&
          !member.unhealthy &&
          member.status === "COMPLETE" &&
          !this.#replaces(member)
        ) {
          server.image = image;
          continue;
        }
        // Another server for other user data is made before the old one goes; else the old one makes room.
        const replaced = server !== undefined && !member.unhealthy && this.#replaces(member);
        if (server !== undefined && !replaced) this.#compute.remove(server.id);
        const made = this.#compute.boot(
          `${pool}-${index}`,
          zone,
          image,
          `${this.id}/${pool}/${cells[index]}`,
        );
        if (server !== undefined && replaced) this.#compute.remove(server.id);
        member.serverId = made.id;
        member.token = this.parameters.get("join_token");
        member.unhealthy = false;
        member.status = made.status === "ACTIVE" ? "COMPLETE" : "FAILED";
        member.reason =
          made.status === "ACTIVE"
            ? ""
            : 'ResourceInError: resources.server: Went to status ERROR due to "Message: No valid host was found., Code: 500"';
        if (member.status === "FAILED") failures.push(`${pool}-${index}`);
      }
    }
    const action = this.status.slice(0, 6);
    if (failures.length > 0) {
      this.status = `${action}_FAILED`;
      this.reason = `Resource ${action} failed: ${failures.join(", ")}`;
    } else if (left > 0) {
      this.status = `${action}_COMPLETE`;
      this.reason = `Stack ${action} completed successfully`;
    }
    return false;
  }

  /** Heat makes a server anew whose user data is another, if the policy says so. */
  #replaces(member: FakeMember | undefined): boolean {
    return (
      this.parameters.get("user_data_update") === "REPLACE" &&
      member?.token !== this.parameters.get("join_token")
    );
  }

  /** As GET /stacks/{name}/{id}. */
  shown(): object {
    return {
      id: this.id,
      stack_name: this.name,
      stack_status: this.status,
      stack_status_reason: this.reason,
      creation_time: this.created,
      updated_time: this.updated,
      timeout_mins: 60,
      parameters: Object.fromEntries(
        [...this.parameters].map(([name, value]) => [name, name === "join_token" ? "******" : value]),
      ),
    };
  }

  /** As GET /stacks/{name}/{id}/events?nested_depth=3, newest first. */
  events(): object[] {
    const [member] = this.members;
    if (!this.hook || member === undefined || !this.status.startsWith("DELETE")) return [];
    const href = `${this.#base}/stacks/${this.name}-${member.pool}-g-${member.index}/${member.stackId}`;
    return [
      {
        id: "event-1",
        event_time: this.created,
        resource_name: "server",
        resource_status: "INIT_COMPLETE",
        resource_status_reason: "DELETE paused until Hook pre-delete is cleared",
        physical_resource_id: member.serverId,
        links: [{ rel: "stack", href }],
      },
    ];
  }

  /** As GET /stacks/{name}/{id}/resources?nested_depth=2. */
  resources(): object[] {
    const link = (rel: string, name: string, id: string) => ({
      rel,
      href: `${this.#base}/stacks/${name}/${id}`,
    });
    const one = (
      name: string,
      type: string,
      id: string | undefined,
      stack: [string, string],
      parent?: string,
      status?: string,
      reason = "state changed",
    ) => ({
      resource_name: name,
      resource_type: type,
      resource_status: `CREATE_${status ?? "COMPLETE"}`,
      resource_status_reason: reason,
      physical_resource_id: id ?? "",
      ...(parent === undefined ? {} : { parent_resource: parent }),
      links: [link("stack", ...stack)],
    });
    const top: [string, string] = [this.name, this.id];
    const rows: object[] = this.nets.map(({ name, id }) =>
      one(name.slice(this.name.length + 1), "OS::Neutron::Net", id, top),
    );
    for (const pool of this.pools) {
      const group: [string, string] = [`${this.name}-${pool}-g`, this.groupId(pool)];
      rows.push(one(pool, "OS::Heat::ResourceGroup", group[1], top));
      for (const member of this.members.filter((candidate) => candidate.pool === pool)) {
        const own: [string, string] = [`${group[0]}-${member.index}`, member.stackId];
        const row = one(
          String(member.index),
          `file:///nested/${pool}.yaml`,
          own[1],
          group,
          pool,
          member.status,
          member.reason,
        );
        rows.push({ ...row, links: [...row.links, link("nested", ...own)] });
        rows.push(
          one(
            "server",
            "OS::Nova::Server",
            member.serverId,
            own,
            String(member.index),
            member.status,
            member.reason,
          ),
        );
        rows.push(one("ready_handle", "OS::Heat::WaitConditionHandle", undefined, own, String(member.index)));
        for (const { name, type, id } of member.things)
          rows.push(one(name, type, id, own, String(member.index)));
      }
    }
    return rows;
  }
}
