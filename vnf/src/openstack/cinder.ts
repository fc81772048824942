import { z } from "zod";
import { isStatus } from "./errors.ts";
import type { Limit } from "./nova.ts";
import { type OpenStackSession, type Service, signalOf } from "./session.ts";

const CINDER: Service = { type: "block-storage", name: "cinder" };

const absolute = z.object({
  maxTotalVolumes: z.number(),
  totalVolumesUsed: z.number().default(0),
  maxTotalVolumeGigabytes: z.number(),
  totalGigabytesUsed: z.number().default(0),
});

/** Cinder, block storage API v3. Every method throws OpenStackError; NO_SERVICE in a cloud without it. */
export class Cinder {
  readonly #session: OpenStackSession;

  constructor(session: OpenStackSession) {
    this.#session = session;
  }

  /** Limits and use of the project, by the name of the quota: volumes, gigabytes (GiB). */
  async limits(signal?: AbortSignal): Promise<ReadonlyMap<string, Limit>> {
    const { limits } = await this.#session.read(
      CINDER,
      { method: "GET", path: "/limits", ...signalOf(signal) },
      z.object({ limits: z.object({ absolute }) }),
    );
    const { maxTotalVolumes, totalVolumesUsed, maxTotalVolumeGigabytes, totalGigabytesUsed } =
      limits.absolute;
    return new Map([
      ["volumes", { most: maxTotalVolumes, used: totalVolumesUsed }],
      ["gigabytes", { most: maxTotalVolumeGigabytes, used: totalGigabytesUsed }],
    ]);
  }

  async volumeExists(id: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#session.call(CINDER, { method: "GET", path: `/volumes/${id}`, ...signalOf(signal) });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  async deleteVolume(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#session.call(CINDER, { method: "DELETE", path: `/volumes/${id}`, ...signalOf(signal) });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }
}
