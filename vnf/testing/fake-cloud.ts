import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { load } from "js-yaml";
import { FakeCompute } from "./fake-compute.ts";
import { FakeGlance, type FakeImage, PROJECT } from "./fake-glance.ts";
import type { FakePace } from "./fake-pace.ts";
import { FakeStack } from "./fake-stack.ts";

/** What the next requests that match get instead of an answer, or after the request was carried out. */
export interface FakeFault {
  /** Of "POST /heat/stacks". */
  readonly on: RegExp;
  /** 0: the connection is closed. */
  readonly status: number;
  readonly times?: number;
  readonly carriedOut?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

export type Answer = readonly [status: number, body?: unknown, headers?: Record<string, string>];

/**
 * Keystone, Heat, Nova, Neutron and Glance over HTTP, as far as the life cycle of a VNF needs them. Forms of requests, answers
 * and errors are those that the services of Debian 12 (Zed) gave; stacks are made of the pools in their parameters.
 */
export class FakeCloud {
  readonly compute: FakeCompute;
  readonly stacks = new Map<string, FakeStack>();
  readonly glance = new FakeGlance();
  readonly faults: FakeFault[] = [];
  readonly requests: string[] = [];
  readonly limits = {
    instances: 100,
    groups: 30,
    securityGroups: 100,
    securityGroupsUsed: 1,
    volumes: 10,
    gigabytes: 1000,
  };
  readonly flavors = ["bono", "sprout", "homestead", "vellum"].map((name) => `tidewater.${name}`);
  blockStorage = true;
  /** s a token is good for. */
  tokenSeconds = 3_600;
  /** Servers in one page of a list. */
  page = 1_000;
  /** Turns that new stacks wait before anything is made: a slow Heat. */
  idle = 0;
  password = "secret";
  readonly #tokens = new Map<string, number>();
  readonly #server: Server;
  readonly #pace: FakePace;
  #url = "";

  private constructor(pace: FakePace, zones: Readonly<Record<string, number>>) {
    this.#pace = pace;
    this.compute = new FakeCompute(zones);
    this.#server = createServer((request, response) => void this.#serve(request, response));
    pace.whileWaiting(() => this.#turn());
  }

  static async start(pace: FakePace, zones: Readonly<Record<string, number>>): Promise<FakeCloud> {
    const cloud = new FakeCloud(pace, zones);
    await new Promise<void>((resolve) => cloud.#server.listen(0, "127.0.0.1", resolve));
    cloud.#url = `http://127.0.0.1:${(cloud.#server.address() as AddressInfo).port}`;
    return cloud;
  }

  get authUrl(): string {
    return `${this.#url}/identity/v3`;
  }

  get images(): FakeImage[] {
    return this.glance.images;
  }

  get tokensGiven(): number {
    return this.requests.filter((one) => one === "POST /identity/v3/auth/tokens").length;
  }

  /** Tokens given so far are refused from now on. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #turn(): void {
    for (const [name, stack] of this.stacks) if (stack.turn()) this.stacks.delete(name);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away
    }
    const url = new URL(request.url ?? "/", "http://fake");
    const what = `${request.method} ${url.pathname}`;
    this.requests.push(what);
    const body = Buffer.concat(chunks);
    const isJson = request.headers["content-type"] === "application/json";
    const asked: Asked = {
      method: request.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body,
      json: isJson ? (JSON.parse(body.toString()) as Record<string, unknown>) : {},
    };
    const at = this.faults.findIndex(({ on }) => on.test(what));
    const fault = this.faults[at];
    if (fault !== undefined) {
      const times = (fault.times ?? 1) - 1;
      if (times <= 0) this.faults.splice(at, 1);
      else this.faults[at] = { ...fault, times };
      if (fault.carriedOut === true) this.#answer(asked, request);
      if (fault.status === 0) {
        request.socket.destroy();
        return;
      }
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      response.end(JSON.stringify({ error: { message: `fault ${fault.status}`, code: fault.status } }));
      return;
    }
    const [status, answer, headers] = this.#answer(asked, request);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(answer === undefined ? "" : JSON.stringify(answer));
  }

  #answer(asked: Asked, request: IncomingMessage): Answer {
    const [, service = "", ...rest] = asked.path.split("/");
    if (service === "identity") return this.#authenticate(asked);
    const expires = this.#tokens.get(String(request.headers["x-auth-token"]));
    if (expires === undefined || expires <= this.#pace.now())
      return [
        401,
        {
          error: {
            code: 401,
            title: "Unauthorized",
            message: "The request you have made requires authentication.",
          },
        },
      ];
    if (service === "heat") return this.#heat(asked, rest);
    if (service === "nova") return this.#nova(asked, rest);
    if (service === "neutron") return this.#neutron(asked, rest);
    if (service === "glance") return this.glance.answer(asked, rest);
    if (service === "cinder") return this.#cinder(asked, rest);
    return [404, { error: { message: "no such service" } }];
  }

  #authenticate({ json }: Asked): Answer {
    if (!JSON.stringify(json).includes(`"${this.password}"`))
      return [
        401,
        {
          error: {
            code: 401,
            title: "Unauthorized",
            message: "The request you have made requires authentication.",
          },
        },
      ];
    const token = randomUUID();
    const expires = this.#pace.now() + this.tokenSeconds * 1_000;
    this.#tokens.set(token, expires);
    const endpoints = (path: string) => [
      { interface: "public", region: "RegionOne", region_id: "RegionOne", url: `${this.#url}${path}` },
    ];
    const catalog = [
      { type: "orchestration", name: "heat", endpoints: endpoints("/heat") },
      { type: "compute", name: "nova", endpoints: endpoints("/nova") },
      { type: "network", name: "neutron", endpoints: endpoints("/neutron") },
      { type: "image", name: "glance", endpoints: endpoints("/glance") },
      ...(this.blockStorage ? [{ type: "volumev3", name: "cinder", endpoints: endpoints("/cinder") }] : []),
    ];
    const expires_at = new Date(expires).toISOString().replace(/(\.\d{3})Z$/, "$1000Z");
    return [
      201,
      {
        token: {
          expires_at,
          project: { id: PROJECT, name: "ims" },
          roles: [{ id: "1", name: "member" }],
          catalog,
        },
      },
      { "x-subject-token": token },
    ];
  }

  #heat({ method, json, query }: Asked, [, name = "", id = "", sub = "", ...more]: string[]): Answer {
    const gone: Answer = [
      404,
      {
        code: 404,
        error: { message: `The Stack (${name}) could not be found.`, type: "EntityNotFound" },
        title: "Not Found",
      },
    ];
    if (method === "POST" && name === "" && id === "") {
      const stackName = String(json["stack_name"]);
      if (stackName === "undefined") return [200, { Parameters: {} }];
      if (this.stacks.has(stackName))
        return [
          409,
          {
            code: 409,
            error: { message: `The Stack (${stackName}) already exists.`, type: "StackExists" },
            title: "Conflict",
          },
        ];
      const stack = new FakeStack(stackName, parametersOf(json), this.compute, `${this.#url}/heat`);
      stack.idle = this.idle;
      this.stacks.set(stackName, stack);
      return [201, { stack: { id: stack.id, links: [] } }];
    }
    if (name === "") {
      const found = [...this.stacks.values()].filter(
        (one) => one.id === query.get("id") || one.name === query.get("name"),
      );
      return [200, { stacks: found.map((one) => one.shown()) }];
    }
    if (sub === "resources" && method === "PATCH" && more.length > 0) {
      for (const one of this.stacks.values())
        for (const member of one.members) if (member.stackId === id) member.unhealthy = true;
      return [200];
    }
    if (more.at(-1) === "signal") {
      const own = [...this.stacks.values()].find((one) => one.members.some(({ stackId }) => stackId === id));
      if (own?.hook !== true || json["unset_hook"] !== "pre-delete")
        return [400, { code: 400, error: { message: 'The "pre-delete" hook is not defined on server' } }];
      own.hook = false;
      return [200];
    }
    const stack = [...this.stacks.values()].find((one) => one.id === id);
    if (stack === undefined) return gone;
    if (sub === "resources") return [200, { resources: stack.resources() }];
    if (sub === "events") return [200, { events: stack.events() }];
    if (method === "GET") return [200, { stack: stack.shown() }];
    if (method === "DELETE") {
      stack.status = "DELETE_IN_PROGRESS";
      stack.updated = "2026-11-21T12:00:00Z";
      return [204];
    }
    if (stack.status.endsWith("IN_PROGRESS"))
      return [
        409,
        {
          code: 409,
          error: {
            message: `Stack ${name} already has an action (${stack.status.slice(0, 6)}) in progress.`,
            type: "ActionInProgress",
          },
        },
      ];
    stack.update(method === "PATCH" ? valuesOf(json["parameters"]) : parametersOf(json));
    return [202];
  }

  #nova({ method, json, query }: Asked, [what = "", id = "", action = ""]: string[]): Answer {
    const { servers } = this.compute;
    if (what === "limits") {
      const used = servers.size;
      const absolute = {
        maxTotalInstances: this.limits.instances,
        totalInstancesUsed: used,
        maxTotalCores: -1,
        totalCoresUsed: 0,
        maxTotalRAMSize: -1,
        totalRAMUsed: 0,
        maxServerGroups: this.limits.groups,
        totalServerGroupsUsed: 0,
        maxServerGroupMembers: 10,
      };
      return [200, { limits: { rate: [], absolute } }];
    }
    if (what === "flavors")
      return [
        200,
        { flavors: this.flavors.map((name) => ({ id: name, name, vcpus: 4, ram: 8192, disk: 20 })) },
      ];
    if (what === "os-availability-zone") {
      if (id === "detail")
        return [
          403,
          {
            forbidden: {
              code: 403,
              message: "Policy doesn't allow os_compute_api:os-availability-zone:detail to be performed.",
            },
          },
        ];
      const zones = [...this.compute.hosts.keys()];
      return [
        200,
        {
          availabilityZoneInfo: zones.map((zoneName) => ({
            zoneName,
            zoneState: { available: true },
            hosts: null,
          })),
        },
      ];
    }
    if (what === "os-server-groups")
      return this.compute.things.has(id)
        ? [200, {}]
        : [404, { itemNotFound: { code: 404, message: "no such group" } }];
    if (what !== "servers") return [404, { itemNotFound: { code: 404, message: "not found" } }];
    if (id === "detail") {
      const all = [...servers.values()];
      const from = all.findIndex((server) => server.id === query.get("marker")) + 1;
      const some = all.slice(from, from + this.page);
      const last = some.at(-1);
      const more = last !== undefined && from + some.length < all.length;
      return [
        200,
        {
          servers: some.map((server) => this.compute.shown(server)),
          ...(more
            ? { servers_links: [{ rel: "next", href: `http://elsewhere/servers/detail?marker=${last.id}` }] }
            : {}),
        },
      ];
    }
    const server = servers.get(id);
    if (server === undefined)
      return [404, { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } }];
    if (method === "DELETE") {
      servers.delete(id);
      return [204];
    }
    if (action === "action") {
      server.status = "os-stop" in json ? "SHUTOFF" : "ACTIVE";
      return [202];
    }
    return [200, { server: this.compute.shown(server) }];
  }

  #neutron({ method }: Asked, [, collection = "", id = ""]: string[]): Answer {
    if (collection === "networks" && id === "")
      return [
        200,
        {
          networks: [
            { id: "n1", name: "external", status: "ACTIVE", "router:external": true, subnets: ["s"] },
            { id: "n2", name: "dmz", status: "ACTIVE", shared: true, subnets: ["s"], project_id: "admin" },
            { id: "n3", name: "open", status: "ACTIVE", subnets: ["s"], port_security_enabled: false },
          ],
        },
      ];
    if (collection === "quotas") {
      const quota = (limit: number) => ({ limit, used: 1, reserved: 0 });
      return [
        200,
        {
          quota: {
            port: quota(500),
            network: quota(-1),
            subnet: quota(-1),
            security_group: { ...quota(this.limits.securityGroups), used: this.limits.securityGroupsUsed },
            security_group_rule: quota(100),
            router: quota(10),
          },
        },
      ];
    }
    if (!this.compute.things.has(id))
      return [
        404,
        { NeutronError: { type: "NotFound", message: `${collection} ${id} could not be found`, detail: "" } },
      ];
    if (method !== "DELETE") return [200, {}];
    this.compute.things.delete(id);
    return [204];
  }

  #cinder({ method }: Asked, [what = "", id = ""]: string[]): Answer {
    const used = [...this.compute.things.values()].filter((one) => one === "volumes").length;
    const { volumes, gigabytes } = this.limits;
    const absolute = { maxTotalVolumes: volumes, totalVolumesUsed: used, maxTotalVolumeGigabytes: gigabytes };
    if (what === "limits") return [200, { limits: { rate: [], absolute } }];
    if (this.compute.things.get(id) !== "volumes")
      return [404, { itemNotFound: { code: 404, message: `Volume ${id} could not be found.` } }];
    if (method === "DELETE") this.compute.things.delete(id);
    return method === "DELETE" ? [202] : [200, { volume: { id } }];
  }
}

function valuesOf(value: unknown): Map<string, string> {
  const all = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const shown = (one: unknown): string =>
    typeof one === "object" && one !== null && !Array.isArray(one) ? JSON.stringify(one) : String(one);
  return new Map(all.map(([name, one]) => [name, shown(one)]));
}

/** Defaults of the template, then the environment. */
function parametersOf(json: Record<string, unknown>): Map<string, string> {
  const template = (typeof json["template"] === "string" ? load(json["template"]) : json["template"]) as {
    parameters?: Record<string, { default?: unknown }>;
  };
  const defaults = Object.entries(template.parameters ?? {}).map(([name, { default: usual }]) => [
    name,
    usual ?? "",
  ]);
  const environment = json["environment"] as { parameters?: unknown } | undefined;
  return new Map([...valuesOf(Object.fromEntries(defaults)), ...valuesOf(environment?.parameters)]);
}
