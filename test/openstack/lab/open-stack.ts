import { setTimeout as delay } from "node:timers/promises";
import { type Lab, PORTS } from "./lab-settings.ts";

type Json = { readonly [key: string]: Json } & readonly Json[] & string & number & boolean;

export interface ApiRequest {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, method: string, url: string, text: string) {
    super(`${method} ${url}: ${status} ${text.slice(0, 2000)}`);
    this.status = status;
  }
}

export type Service = "identity" | "compute" | "placement" | "network" | "image" | "orchestration";

const MICROVERSIONS: ReadonlyMap<Service, Readonly<Record<string, string>>> = new Map([
  ["compute", { "OpenStack-API-Version": "compute 2.93" }],
  ["placement", { "OpenStack-API-Version": "placement 1.39" }],
]);

/** A project of the lab as one of its users sees it. */
export class OpenStack {
  readonly #lab: Lab;
  readonly #user: string;
  readonly #project: string;
  #token: { readonly id: string; readonly project: string } | undefined;

  constructor(lab: Lab, user: string, project: string) {
    this.#lab = lab;
    this.#user = user;
    this.#project = project;
  }

  async token(): Promise<{ readonly id: string; readonly project: string }> {
    this.#token ??= await this.#logIn();
    return this.#token;
  }

  async #logIn(): Promise<{ readonly id: string; readonly project: string }> {
    const domain = { name: "Default" };
    const user = { name: this.#user, password: this.#lab.password, domain };
    const response = await fetch(`${await this.#base("identity")}/auth/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        auth: {
          identity: { methods: ["password"], password: { user } },
          scope: { project: { name: this.#project, domain } },
        },
      }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiError(response.status, "POST", response.url, text);
    const body = JSON.parse(text) as { token: { project: { id: string } } };
    return { id: response.headers.get("X-Subject-Token") ?? "", project: body.token.project.id };
  }

  async #base(service: Service): Promise<string> {
    const at = (port: number, path: string): string => `http://${this.#lab.address}:${port}${path}`;
    switch (service) {
      case "identity":
        return at(PORTS.keystone, "/v3");
      case "compute":
        return at(PORTS.nova, "/v2.1");
      case "placement":
        return at(PORTS.placement, "");
      case "network":
        return at(PORTS.neutron, "/v2.0");
      case "image":
        return at(PORTS.glance, "/v2");
      case "orchestration":
        return at(PORTS.heat, `/v1/${(await this.token()).project}`);
    }
  }

  /** The answer's body, undefined when it has none; a status of 400 and above is an ApiError. */
  async request(method: string, service: Service, path: string, request: ApiRequest = {}): Promise<Json> {
    const url = `${await this.#base(service)}${path}`;
    const { body, headers = {} } = request;
    const binary = body instanceof Uint8Array;
    const response = await fetch(url, {
      method,
      headers: {
        "X-Auth-Token": (await this.token()).id,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...MICROVERSIONS.get(service),
        ...headers,
      },
      ...(body === undefined ? {} : { body: binary ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiError(response.status, method, url, text);
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json") ?? false;
    return (isJson && text !== "" ? JSON.parse(text) : undefined) as Json;
  }

  get(service: Service, path: string): Promise<Json> {
    return this.request("GET", service, path);
  }

  post(service: Service, path: string, body: unknown): Promise<Json> {
    return this.request("POST", service, path, { body });
  }

  put(service: Service, path: string, body?: unknown): Promise<Json> {
    return this.request("PUT", service, path, { body });
  }

  delete(service: Service, path: string): Promise<Json> {
    return this.request("DELETE", service, path);
  }

  /** Whether Keystone gives a token, asked until it does. */
  async ready(seconds: number): Promise<void> {
    for (let left = seconds * 2; ; left--)
      try {
        await this.token();
        return;
      } catch (error) {
        if (left <= 0) throw error;
        await delay(500);
      }
  }
}

export type { Json };
