import {
  type ChargedRequest,
  type ChargedServers,
  type ChargingRole,
  parseChargingFunctionAddresses,
} from "@ims/ims";
import type { RequestContext, SipMessage } from "@ims/sip";
import type { ServerOutcome } from "../cx/cx.ts";
import type { IcscfModules } from "./modules.ts";

/** A request that the I-CSCF charges by its Cx query and its answer (TS 32.260 §5.2.2.1); undefined when it does not. */
export function charged(
  context: RequestContext,
  { charging }: IcscfModules,
  role: ChargingRole,
): ChargedRequest | undefined {
  const found = charging?.initial(context.request, role);
  if (found === undefined) return undefined;
  found.collectAt(collectionFunctions(context.request));
  context.onUpstream((response) => found.sees(response));
  return found;
}

/** What the charging of a query is told: the S-CSCF that serves the user, or by what one was selected. */
export function chargedServers(outcome: ServerOutcome, name: string): ChargedServers {
  if (outcome.kind === "server") return { serverNames: [name] };
  const { mandatory, optional } = outcome.capabilities;
  return { mandatory, optional, serverNames: [name] };
}

/** Those that the network before has named: ccf of P-Charging-Function-Addresses. */
export function collectionFunctions(request: SipMessage): readonly string[] | undefined {
  const value = request.header("P-Charging-Function-Addresses");
  return value === undefined ? undefined : parseChargingFunctionAddresses(value).ccf;
}
