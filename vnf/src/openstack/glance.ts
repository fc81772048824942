import type { Readable } from "node:stream";
import { z } from "zod";
import { isStatus } from "./errors.ts";
import { type OpenStackSession, type Service, signalOf } from "./session.ts";

const GLANCE: Service = { type: "image", name: "glance" };

const image = z.object({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  size: z.number().nullish(),
  min_disk: z.number().default(0),
  min_ram: z.number().default(0),
  os_hash_algo: z.string().nullish(),
  os_hash_value: z.string().nullish(),
  /** Id of a project. */
  owner: z.string().nullish(),
  /** What this program writes on images that it uploads. */
  tidewater_sha512: z.string().nullish(),
});
export type Image = z.output<typeof image>;

const page = z.object({ images: z.array(image), next: z.string().optional() });

export interface NewImage {
  readonly name: string;
  readonly diskFormat: "qcow2" | "raw";
  readonly minDiskGiB: number;
  readonly minRamMiB: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** Glance, image API v2. Every method throws OpenStackError. */
export class Glance {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  async named(name: string, signal?: AbortSignal): Promise<Image[]> {
    // A name with a comma or colon would be read as an operator.
    const query = new URLSearchParams({ name: `in:"${name.replaceAll('"', "")}"`, limit: "100" });
    const all: Image[] = [];
    let path: string | undefined = `/images?${query}`;
    for (let turn = 0; path !== undefined && turn < 1_000; turn++) {
      const answer: z.output<typeof page> = await this.#session.read(
        GLANCE,
        { method: "GET", path: await this.#path(path, signal), ...signalOf(signal) },
        page,
      );
      all.push(...answer.images);
      path = answer.next?.replace(/^\/v2/, "");
    }
    return all.filter((one) => one.name === name);
  }

  async image(id: string, signal?: AbortSignal): Promise<Image | undefined> {
    try {
      const path = await this.#path(`/images/${encodeURIComponent(id)}`, signal);
      return await this.#session.read(GLANCE, { method: "GET", path, ...signalOf(signal) }, image);
    } catch (error) {
      if (isStatus(error, 404, 400)) return undefined;
      throw error;
    }
  }

  /** Id of the project that the token is for. */
  async project(signal?: AbortSignal): Promise<string> {
    return (await this.#session.project(signal)).id;
  }

  /** The record; its data comes next. */
  async create(wanted: NewImage, signal?: AbortSignal): Promise<Image> {
    const json = {
      ...wanted.properties,
      name: wanted.name,
      disk_format: wanted.diskFormat,
      container_format: "bare",
      visibility: "private",
      min_disk: wanted.minDiskGiB,
      min_ram: wanted.minRamMiB,
    };
    const path = await this.#path("/images", signal);
    return this.#session.read(GLANCE, { method: "POST", path, json, ...signalOf(signal) }, image);
  }

  /** Sends the data; not repeated by itself. */
  async upload(
    id: string,
    data: Readable,
    size: number,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = await this.#path(`/images/${id}/file`, signal);
    await this.#session.call(GLANCE, {
      method: "PUT",
      path,
      stream: data,
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      timeoutMs,
      ...signalOf(signal),
    });
  }

  async delete(id: string, signal?: AbortSignal): Promise<void> {
    try {
      const path = await this.#path(`/images/${id}`, signal);
      await this.#session.call(GLANCE, { method: "DELETE", path, ...signalOf(signal) });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Catalogues have the endpoint with or without the version. */
  async #path(path: string, signal?: AbortSignal): Promise<string> {
    const base = await this.#session.endpoint(GLANCE, signal);
    return base.endsWith("/v2") ? path : `/v2${path}`;
  }
}
