import type { Http, HttpAnswer, HttpRequest } from "../src/openstack/http.ts";

interface Instance {
  readonly id: string;
  readonly vnfInstanceName: string;
  readonly vnfdId: string;
  instantiationState: "NOT_INSTANTIATED" | "INSTANTIATED";
  level: number;
}

interface Occurrence {
  readonly id: string;
  readonly vnfInstanceId: string;
  readonly operation: string;
  operationState: string;
  readonly finish: () => void;
  /** Looks until it is done. */
  left: number;
  error?: { readonly detail: string };
}

interface FakeVnfc {
  readonly id: string;
  readonly server: { readonly id: string; readonly name: string; status: string; readonly hostId: string };
}

/**
 * Keystone, Nova and a VNF manager with the answers Tacker 16 gave, one instance with one scaling aspect of three levels: bono of 7, 11
 * and 15, each member on a host of its own cell.
 */
export class FakeVnfm implements Http {
  readonly asked: string[] = [];
  /** How often an operation is looked at before it is done. */
  looks = 2;
  /** Where the catalogue says that it is. */
  base = "http://vnfm";
  readonly packages = new Map<string, { state: string; vnfdId?: string }>();
  readonly instances = new Map<string, Instance>();
  readonly occurrences = new Map<string, Occurrence>();
  /** Members of the instances, the highest number last. */
  readonly vnfcs: FakeVnfc[] = [];
  /** Bodies of the operations begun. */
  readonly bodies: Record<string, unknown>[] = [];
  /** What the next operation ends with instead of COMPLETED. */
  nextFails: string | undefined;
  refusesPackages = false;
  /** What the next request that matches is answered with. */
  fault: { on: RegExp; status: number } | undefined;
  readonly #deleted = new Set<string>();
  #count = 0;

  async send({ method, url, body, headers }: HttpRequest): Promise<HttpAnswer> {
    const { pathname } = new URL(url);
    const text = typeof body === "string" ? body : "";
    if (pathname === "/v3/auth/tokens") return keystone(this.base);
    if (pathname.startsWith("/nova/")) return this.#nova(method, pathname, text);
    this.asked.push(`${method} ${pathname}`);
    if (this.fault?.on.test(`${method} ${pathname}`) === true) {
      const { status } = this.fault;
      this.fault = undefined;
      return answer(status, { detail: "no" });
    }
    if (pathname.startsWith("/vnflcm/v2/") && headers["Version"] !== "2.0.0")
      return answer(400, { detail: "Version" });
    const [, , , list, id = "", task] = pathname.split("/");
    const json = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    if (list === "vnf_packages")
      return this.#package(method, id, task, body !== undefined && text === "" ? headers : undefined);
    if (list === "vnf_instances")
      return task === undefined ? this.#instance(method, id, json) : this.#begin(id, task, json);
    return this.#occurrence(id, task, text);
  }

  async close(): Promise<void> {}

  #nova(method: string, path: string, text: string): HttpAnswer {
    const servers = this.vnfcs.map(({ server }) => server).filter(({ id }) => !this.#deleted.has(id));
    if (path.endsWith("/servers/detail")) return answer(200, { servers });
    const [, id = "", action] = /\/servers\/([^/]+)(\/action)?$/.exec(path) ?? [];
    const server = servers.find((one) => one.id === id);
    if (server === undefined) return answer(404, {});
    if (method === "DELETE") {
      this.asked.push(`delete ${server.name}`);
      this.#deleted.add(id);
      return answer(204);
    }
    if (action === undefined) return answer(200, { server });
    this.asked.push(`${text.includes("os-stop") ? "stop" : "start"} ${server.name}`);
    server.status = text.includes("os-stop") ? "SHUTOFF" : "ACTIVE";
    return answer(202);
  }

  #resize(size: number): void {
    while (this.vnfcs.length > size) this.vnfcs.pop();
    while (this.vnfcs.length < size) this.vnfcs.push(this.#member(this.vnfcs.length));
  }

  #member(index: number): FakeVnfc {
    const id = `server-${++this.#count}`;
    const hostId = `host-${index < 7 ? index : (index - 7) % 4}`;
    return { id: `bono-vnfc-${index}`, server: { id, name: `bono-${index}`, status: "ACTIVE", hostId } };
  }

  #package(
    method: string,
    id: string,
    task: string | undefined,
    upload: HttpRequest["headers"] | undefined,
  ): HttpAnswer {
    if (method === "POST") {
      const made = `package-${++this.#count}`;
      this.packages.set(made, { state: "CREATED" });
      return answer(201, this.#shownPackage(made));
    }
    if (id === "")
      return answer(
        200,
        [...this.packages.keys()].map((one) => this.#shownPackage(one)),
      );
    const found = this.packages.get(id);
    if (found === undefined) return answer(404, { detail: `no ${id}` });
    if (task === "package_content") {
      if (upload?.["content-length"] === undefined) return answer(500, { detail: "<class 'TypeError'>" });
      found.state = "PROCESSING";
      return answer(202);
    }
    if (method === "DELETE") {
      this.packages.delete(id);
      return answer(204);
    }
    const shown = this.#shownPackage(id);
    if (found.state === "PROCESSING") {
      found.state = this.refusesPackages ? "CREATED" : "ONBOARDED";
      found.vnfdId = "vnfd-1";
    }
    return answer(200, shown);
  }

  #shownPackage(id: string): unknown {
    const { state = "", vnfdId } = this.packages.get(id) ?? {};
    return {
      id,
      vnfdId,
      onboardingState: state,
      operationalState: state === "ONBOARDED" ? "ENABLED" : "DISABLED",
    };
  }

  #instance(method: string, id: string, { vnfInstanceName, vnfdId }: Record<string, unknown>): HttpAnswer {
    if (method === "POST") {
      const made: Instance = {
        id: `instance-${++this.#count}`,
        vnfInstanceName: String(vnfInstanceName),
        vnfdId: String(vnfdId),
        instantiationState: "NOT_INSTANTIATED",
        level: 0,
      };
      this.instances.set(made.id, made);
      return answer(201, this.#shownInstance(made));
    }
    if (id === "")
      return answer(
        200,
        [...this.instances.values()].map((one) => this.#shownInstance(one)),
      );
    const found = this.instances.get(id);
    if (found === undefined) return answer(404, { detail: `no ${id}` });
    if (method === "DELETE") {
      if (found.instantiationState === "INSTANTIATED") return answer(409, { detail: "instantiated" });
      this.instances.delete(id);
      return answer(204);
    }
    return answer(200, this.#shownInstance(found));
  }

  #shownInstance({ level, ...rest }: Instance): unknown {
    if (rest.instantiationState === "NOT_INSTANTIATED") return rest;
    return {
      ...rest,
      instantiatedVnfInfo: {
        flavourId: "ha",
        scaleStatus: [{ aspectId: "bono", scaleLevel: level }],
        maxScaleLevels: [{ aspectId: "bono", scaleLevel: 2 }],
        vnfcInfo: this.vnfcs.map(({ id }) => ({ id, vduId: "bono", vnfcResourceInfoId: `resource-${id}` })),
        vnfcResourceInfo: this.vnfcs.map(({ id, server }) => ({
          id: `resource-${id}`,
          vduId: "bono",
          computeResource: { resourceId: server.id },
        })),
      },
    };
  }

  #begin(id: string, task: string, body: Record<string, unknown>): HttpAnswer {
    const instance = this.instances.get(id);
    if (instance === undefined) return answer(404, { detail: `no ${id}` });
    if (
      [...this.occurrences.values()].some(
        (one) => one.vnfInstanceId === id && !/COMPLETED|FAILED$|ROLLED/.test(one.operationState),
      )
    )
      return answer(409, { detail: "another operation is in progress" });
    this.bodies.push(body);
    const error = this.nextFails;
    this.nextFails = undefined;
    const occurrence: Occurrence = {
      id: `operation-${++this.#count}`,
      vnfInstanceId: id,
      operation: task.toUpperCase(),
      operationState: "STARTING",
      left: this.looks,
      finish: () => {
        if (task === "instantiate") instance.instantiationState = "INSTANTIATED";
        if (task === "terminate") instance.instantiationState = "NOT_INSTANTIATED";
        if (task === "scale") instance.level += body["type"] === "SCALE_OUT" ? 1 : -1;
        if (task === "heal")
          for (const id of body["vnfcInstanceId"] as string[]) {
            const at = this.vnfcs.findIndex((one) => one.id === id);
            if (at >= 0) this.vnfcs[at] = this.#member(at);
          }
        else this.#resize(task === "terminate" ? 0 : 7 + 4 * instance.level);
      },
      ...(error === undefined ? {} : { error: { detail: error } }),
    };
    this.occurrences.set(occurrence.id, occurrence);
    return answer(202, undefined, { location: `http://vnfm/vnflcm/v2/vnf_lcm_op_occs/${occurrence.id}` });
  }

  #occurrence(id: string, how: string | undefined, text: string): HttpAnswer {
    const shown = ({ finish, left, error, ...rest }: Occurrence) => rest;
    if (id === "") return answer(200, [...this.occurrences.values()].map(shown));
    const found = this.occurrences.get(id);
    if (found === undefined) return answer(404, { detail: `no ${id}` });
    if (how !== undefined) {
      if (text !== "") return answer(500, { detail: "unexpected keyword argument 'body'" });
      if (found.operationState !== "FAILED_TEMP") return answer(409, { detail: found.operationState });
      found.operationState = how === "fail" ? "FAILED" : how === "rollback" ? "ROLLED_BACK" : "PROCESSING";
      delete found.error;
      return answer(202);
    }
    if (["STARTING", "PROCESSING"].includes(found.operationState) && found.left-- <= 0) {
      found.operationState = found.error === undefined ? "COMPLETED" : "FAILED_TEMP";
      if (found.error === undefined) found.finish();
    } else if (found.operationState === "STARTING") found.operationState = "PROCESSING";
    return answer(200, {
      ...shown(found),
      ...(found.operationState === "FAILED_TEMP" ? { error: found.error } : {}),
    });
  }
}

function answer(status: number, body?: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers, text: body === undefined ? "" : JSON.stringify(body) };
}

function keystone(base: string): HttpAnswer {
  const endpoint = { interface: "public", region: "one", region_id: "one", url: base };
  const token = {
    expires_at: "2099-01-01T00:00:00.000000Z",
    issued_at: "2026-01-01T00:00:00.000000Z",
    project: { id: "p", name: "ims" },
    roles: [{ name: "member" }],
    catalog: [
      { type: "nfv-orchestration", name: "tacker", endpoints: [endpoint] },
      { type: "compute", name: "nova", endpoints: [{ ...endpoint, url: `${base}/nova` }] },
    ],
  };
  return answer(201, { token }, { "x-subject-token": "token" });
}
