import { ProvisioningError } from "@ims/api";
import { Refusal, upstream } from "./refusal.ts";

const PASSED_ON = new Set([400, 404, 409]);

/** What homestead answers; its refusals are ours, in its words. Throws Refusal. */
export async function askedOf<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProvisioningError)) throw error;
    const { detail } = error;
    if (detail.code !== "PROVISIONING_REFUSED") throw upstream(error.message);
    const problem = (detail.detail || detail.title).slice(0, 500);
    if (PASSED_ON.has(detail.status)) throw new Refusal(detail.status, problem);
    if (detail.status === 503)
      throw new Refusal(503, `homestead: ${problem}`, { retryAfterSeconds: 2, cause: error });
    throw upstream(problem);
  }
}
