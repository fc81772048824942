import type { RequestContext, SipMessage } from "@ims/sip";
import type { Registration } from "../store/registration.ts";
import type { AuthenticatedUser } from "./authentication.ts";
import { addTermIoi, chargingAddresses } from "./charging.ts";
import { contactValue } from "./contacts.ts";
import type { ScscfModules } from "./modules.ts";

/** Sends 200 to a REGISTER, and gives it for those who want to see it: TS 24.229 §5.4.1.2.2F, RFC 3261 §10.3 step 8. */
export function acceptRegistration(
  context: RequestContext,
  modules: ScscfModules,
  user: AuthenticatedUser,
  registration: Registration | undefined,
): SipMessage | undefined {
  const { options, clock, gruus } = modules;
  const { request } = context;
  const now = clock.now();
  const bindings = registration?.bindings ?? [];
  let sent: SipMessage | undefined;
  context.respond(200, {
    edit: (response) => {
      sent = response;
      // 1. Path as received (RFC 3327 §5.3), every binding alive (RFC 3261 §10.3), GRUUs (§5.4.7A.1).
      if (bindings.length > 0) response.copy("Path", request);
      for (const binding of bindings)
        response.append("Contact", contactValue(binding, now, gruus.parametersFor(user.impu, binding)));
      if (bindings.some(({ regId, callId }) => regId > 0 && callId === request.callId))
        response.append("Require", "outbound");
      // 2. Service-Route (RFC 3608): originating requests come back with the orig parameter.
      if (bindings.length > 0)
        response.append("Service-Route", `<${options.routedUri ?? options.scscfUri};lr;orig>`);
      // 3. Every identity of the set that is not barred, the default one on top.
      if (registration !== undefined) appendAssociatedUris(response, registration);
      // The P-CSCF lets the UE claim as much (TS 24.229 §4.11).
      if (registration !== undefined && registration.profile.resourcePriorities.length > 0)
        response.append("Resource-Priority", registration.profile.resourcePriorities.join(", "));
      // 4. Charging addresses and IOI (§5.4.1.2.2F).
      const addresses = chargingAddresses(registration?.charging);
      if (addresses !== "") response.append("P-Charging-Function-Addresses", addresses);
      addTermIoi(response, request, options.homeDomain);
      if (user.authenticationInfo !== undefined)
        response.append("Authentication-Info", user.authenticationInfo);
      response.append("Date", new Date(now).toUTCString());
    },
  });
  return sent;
}

function appendAssociatedUris(
  response: { append(name: "P-Associated-URI", value: string): unknown },
  { profile }: Registration,
): void {
  const { associatedUris } = profile;
  if (associatedUris.length > 0)
    response.append("P-Associated-URI", associatedUris.map((uri) => `<${uri}>`).join(", "));
}
