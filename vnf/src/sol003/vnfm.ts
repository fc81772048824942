import { Readable } from "node:stream";
import { z } from "zod";
import { OpenStackError } from "../openstack/errors.ts";
import type { OpenStackSession, Service } from "../openstack/session.ts";
import {
  type Lcm,
  type OperationOccurrence,
  operationOccurrence,
  type Sol003Instance,
  type VnfPackage,
  vnfInstance,
  vnfPackage,
} from "./schemas.ts";

const SERVICE: Service = { type: "nfv-orchestration", name: "VNF manager" };
/** Of the APIs below /vnflcm/v2. */
const VERSION = { Version: "2.0.0" };

/**
 * VNF manager that is found in the catalogue of the cloud (Tacker): package management and life cycle of SOL 003.
 *
 * Every method throws OpenStackError.
 */
export class Vnfm {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  packages(signal?: AbortSignal): Promise<VnfPackage[]> {
    return this.#read("GET", "/vnfpkgm/v1/vnf_packages", z.array(vnfPackage), signal);
  }

  package(id: string, signal?: AbortSignal): Promise<VnfPackage> {
    return this.#read("GET", `/vnfpkgm/v1/vnf_packages/${encodeURIComponent(id)}`, vnfPackage, signal);
  }

  /** A package without content yet. */
  createPackage(signal?: AbortSignal): Promise<VnfPackage> {
    return this.#read("POST", "/vnfpkgm/v1/vnf_packages", vnfPackage, signal, { userDefinedData: {} });
  }

  async uploadPackage(id: string, csar: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#session.call(SERVICE, {
      method: "PUT",
      path: `/vnfpkgm/v1/vnf_packages/${encodeURIComponent(id)}/package_content`,
      // Tacker answers 500 to a body without a length.
      headers: { "content-type": "application/zip", "content-length": String(csar.length) },
      stream: Readable.from([Buffer.from(csar)]),
      timeoutMs: 600_000,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async setPackageState(
    id: string,
    operationalState: "ENABLED" | "DISABLED",
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#call("PATCH", `/vnfpkgm/v1/vnf_packages/${encodeURIComponent(id)}`, signal, {
      operationalState,
    });
  }

  async deletePackage(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call("DELETE", `/vnfpkgm/v1/vnf_packages/${encodeURIComponent(id)}`, signal);
  }

  instances(signal?: AbortSignal): Promise<Sol003Instance[]> {
    return this.#read("GET", "/vnflcm/v2/vnf_instances", z.array(vnfInstance), signal);
  }

  instance(id: string, signal?: AbortSignal): Promise<Sol003Instance> {
    return this.#read("GET", `/vnflcm/v2/vnf_instances/${encodeURIComponent(id)}`, vnfInstance, signal);
  }

  createInstance(vnfdId: string, name: string, signal?: AbortSignal): Promise<Sol003Instance> {
    const body = { vnfdId, vnfInstanceName: name };
    return this.#read("POST", "/vnflcm/v2/vnf_instances", vnfInstance, signal, body);
  }

  async deleteInstance(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call("DELETE", `/vnflcm/v2/vnf_instances/${encodeURIComponent(id)}`, signal);
  }

  /** Begins an operation; the identifier of its occurrence. */
  async begin(instance: string, { task, body }: Lcm, signal?: AbortSignal): Promise<string> {
    const path = `/vnflcm/v2/vnf_instances/${encodeURIComponent(instance)}/${task}`;
    const { headers } = await this.#call("POST", path, signal, body);
    const location = String(headers["location"] ?? "");
    const [, id] = /\/vnf_lcm_op_occs\/([^/?#]+)$/.exec(location) ?? [];
    if (id !== undefined) return id;
    throw new OpenStackError({
      code: "ANSWER",
      service: SERVICE.name,
      url: path,
      problem: "it does not say where its operation is to be seen (Location)",
    });
  }

  operation(id: string, signal?: AbortSignal): Promise<OperationOccurrence> {
    return this.#read(
      "GET",
      `/vnflcm/v2/vnf_lcm_op_occs/${encodeURIComponent(id)}`,
      operationOccurrence,
      signal,
    );
  }

  /** All operations there were. */
  operations(signal?: AbortSignal): Promise<OperationOccurrence[]> {
    return this.#read("GET", "/vnflcm/v2/vnf_lcm_op_occs", z.array(operationOccurrence), signal);
  }

  /** What becomes of an operation in FAILED_TEMP (SOL 003 clause 5.4.14 to 5.4.16). */
  async decide(id: string, how: "retry" | "rollback" | "fail", signal?: AbortSignal): Promise<void> {
    // No body: Tacker answers 500 to one.
    await this.#call("POST", `/vnflcm/v2/vnf_lcm_op_occs/${encodeURIComponent(id)}/${how}`, signal);
  }

  #call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, signal?: AbortSignal, json?: unknown) {
    return this.#session.call(SERVICE, {
      method,
      path,
      ...(path.startsWith("/vnflcm/v2/") ? { headers: VERSION } : {}),
      ...(json === undefined ? {} : { json }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #read<S extends z.ZodType>(
    method: "GET" | "POST",
    path: string,
    schema: S,
    signal?: AbortSignal,
    json?: unknown,
  ): Promise<z.output<S>> {
    return this.#session.read(
      SERVICE,
      {
        method,
        path,
        ...(path.startsWith("/vnflcm/v2/") ? { headers: VERSION } : {}),
        ...(json === undefined ? {} : { json }),
        ...(signal === undefined ? {} : { signal }),
      },
      schema,
    );
  }
}
