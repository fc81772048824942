import { ProvisioningError } from "@ims/api";
import { Refusal } from "./refusal.ts";

/** What was asked for is wrong, not homestead. */
const PASSED_ON = new Set([400, 404, 409]);

/** What homestead answers; its refusals are ours, in its words. Throws Refusal. */
export async function askedOf<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProvisioningError)) throw error;
    const { detail } = error;
    if (detail.code === "PROVISIONING_REFUSED" && PASSED_ON.has(detail.status))
      throw new Refusal(detail.status, wordsFor(error).slice(0, 500), { cause: error });
    const status = detail.code === "PROVISIONING_REFUSED" && detail.status === 503 ? 503 : 502;
    const more = status === 503 ? { retryAfterSeconds: 2 } : {};
    throw new Refusal(status, `homestead: ${wordsFor(error)}`.slice(0, 500), { ...more, cause: error });
  }
}

/** Why homestead did not do something. */
export function wordsFor({ detail }: ProvisioningError): string {
  switch (detail.code) {
    case "PROVISIONING_REFUSED":
      return detail.detail || detail.title || `status ${detail.status}`;
    case "PROVISIONING_UNREACHABLE":
      return "it does not answer";
    case "PROVISIONING_ANSWER":
      return "what answers is not its provisioning API";
  }
}
