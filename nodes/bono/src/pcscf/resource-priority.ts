import type { SipMessage } from "@ims/sip";
import { flat } from "./flat.ts";
import type { PcscfModules } from "./modules.ts";
import type { Registration } from "./registration.ts";

/** More values than any subscription has. */
const MAX_GRANTED = 32;

/** What the S-CSCF grants in a 200 (OK) to REGISTER: the priorities of the subscription. Undefined: none, as nearly always. */
export function grantedPriorities(response: SipMessage): readonly string[] | undefined {
  if (!response.has("Resource-Priority")) return undefined;
  return response.values("Resource-Priority").slice(0, MAX_GRANTED).map(flat);
}

/**
 * What a UE may say of its priority (TS 24.229 §3.1, authorised Resource-Priority; §4.11): as high as its subscription goes. "": nothing.
 * Look before the request is stripped; append what comes back.
 */
export function authorisedPriority(
  request: SipMessage,
  registration: Registration | undefined,
  { resourcePriorities }: Pick<PcscfModules, "resourcePriorities">,
): string {
  const granted = registration?.grants.priorities;
  if (granted === undefined || !request.has("Resource-Priority")) return "";
  return resourcePriorities.permitted(request.values("Resource-Priority"), granted).join(", ");
}
