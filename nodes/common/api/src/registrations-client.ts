import { ImsError } from "@ims/runtime";
import { type Registrations, registrationsSchema } from "./registrations.ts";

export type ManagementFault =
  | { readonly code: "MANAGEMENT_REFUSED"; readonly status: number; readonly detail: string }
  | { readonly code: "MANAGEMENT_UNREACHABLE"; readonly url: string }
  /** What answers is not the management port of a sprout of this release. */
  | { readonly code: "MANAGEMENT_ANSWER"; readonly url: string };

export class ManagementError extends ImsError<ManagementFault> {}

const DEADLINE_MS = 10_000;
/** Beyond any honest answer: a hundred contacts of the longest kind. */
const MAX_ANSWER = 4 * 1024 * 1024;

/** What sprout keeps of one user, by a public or a private identity. Throws ManagementError. */
export async function readRegistrations(
  { url, token, deadlineMs = DEADLINE_MS }: ManagementDoor,
  identity: string,
): Promise<Registrations> {
  const base = url.replace(/\/$/, "");
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base}/registrations/${encodeURIComponent(identity)}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(deadlineMs),
      redirect: "error",
    });
    text = await response.text();
  } catch (cause) {
    throw new ManagementError({ code: "MANAGEMENT_UNREACHABLE", url: base }, { cause });
  }
  if (!response.ok)
    throw new ManagementError({
      code: "MANAGEMENT_REFUSED",
      status: response.status,
      detail: text.trim().slice(0, 500),
    });
  const parsed = registrationsSchema.safeParse(text.length > MAX_ANSWER ? undefined : jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new ManagementError({ code: "MANAGEMENT_ANSWER", url: base }, { cause: parsed.error });
}

/** The management port of a node. */
export interface ManagementDoor {
  readonly url: string;
  /** Needed beyond loopback. */
  readonly token?: string | undefined;
  readonly deadlineMs?: number;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
