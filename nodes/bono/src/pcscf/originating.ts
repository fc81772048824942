import type { ForkOptions, RequestContext, SipMessage } from "@ims/sip";
import type { MediaExchange } from "../media-gateway/media-exchange.ts";
import { chargingVector } from "./charging.ts";
import type { AccessFlow } from "./flow-table.ts";
import { type AssertedIdentity, initiator } from "./identity.ts";
import { answerKeepAlive } from "./keep-alive.ts";
import type { PcscfModules, TimedInterval } from "./modules.ts";
import { markForUe, recordRouteFromUe } from "./record-route.ts";
import { authorisedPriority } from "./resource-priority.ts";
import { restorationBody } from "./restoration.ts";
import { stripRequestFromUe, stripTowardsUe } from "./trust-domain.ts";

const LOOSE = /;lr(?:[;=?]|$)/i;

/**
 * A Request-URI that the core would take for a Route a strict router has left (RFC 3261 §16.4), and go on with what follows: by it a UE
 * would choose its way through our network.
 */
function isRouteOfCore(request: SipMessage, { own, serviceRoutes }: PcscfModules): boolean {
  if (!LOOSE.test(request.requestUri)) return false;
  const { target } = request;
  return target !== undefined && (own.sideOf(target) === "core" || serviceRoutes.isCoreHost(target.host));
}

/** Requests initiated by the UE outside a dialog: TS 24.229 §5.2.6.3. */
export function originating(context: RequestContext, modules: PcscfModules): void | Promise<void> {
  const { request, flow } = context;
  const { flows, own, counters, sources, sessionTimers } = modules;

  // 1. Who is it? Nothing is relayed for somebody who is not registered over this flow (§5.2.6.3.1).
  const access = flows.registered(flow);
  const asserted = access === undefined ? undefined : initiator(request, access);
  if (access === undefined || asserted === undefined || !flows.isCurrent(asserted.registration)) {
    if (!sources.admit(flow.remoteAddress)) {
      counters.refused("sourceLimit");
      return context.respond(503, {
        stateless: true,
        why: "source limit",
        edit: (response) => void response.append("Retry-After", "1"),
      });
    }
    // §5.2.10.3: an emergency registration is for emergency requests only.
    const only = access !== undefined && flows.emergencyOf(access) !== undefined;
    counters.refused(only ? "emergencyOnly" : "notRegistered");
    const reason = `Forbidden (${only ? "emergency registration" : "not registered"})`;
    return context.respond(403, { stateless: true, reason });
  }

  // 2. The trusted side is no address for a UE.
  const route = request.routes[0]?.uri;
  if ((route !== undefined && own.sideOf(route) === "core") || isRouteOfCore(request, modules)) {
    counters.refused("foreignRoute");
    return context.respond(403, { reason: "Forbidden (Route)" });
  }

  // 3. Nothing a UE may not assert goes on (§4.4), but a priority that it has; the session may have to be refreshed (§5.2.7.2).
  const interval = sessionTimers?.of(request);
  if (interval?.kind === "refused") return context.respond(422, interval);
  const forward = context.forward();
  const priority = authorisedPriority(request, asserted.registration, modules);
  stripRequestFromUe(forward);
  if (priority !== "") forward.append("Resource-Priority", priority);
  if (interval !== undefined) interval.edit(forward);

  // 4. The Service-Route of the registration, whatever Route the UE has preloaded (§5.2.6.3.3 step 2, alternative b).
  const { serviceRoute } = asserted.registration;
  forward.remove("Route").append("Route", serviceRoute.line);

  // 5. P-Asserted-Identity takes the place of P-Preferred-Identity (§5.2.6.3.3).
  if (forward.has("P-Preferred-Identity")) forward.remove("P-Preferred-Identity");
  forward.append("P-Asserted-Identity", asserted.assertion);

  // 6. Charging correlation (§5.2.6.3.3, §7.2A.5).
  forward.append("P-Charging-Vector", chargingVector(modules));

  // 7. What it offers may have to pass a media gateway (§6.7.2).
  const caller = { access, asserted, interval };
  const exchange = modules.media?.initial(forward, "ue", flow);
  if (exchange === undefined) return toScscf(context, forward, caller, modules);
  return exchange.converts(context, forward).then((goesOn) => {
    if (goesOn) toScscf(context, forward, caller, modules, exchange);
  });
}

/** Who calls, and what was asked for the refresh of his session. */
interface Caller {
  readonly access: AccessFlow;
  readonly asserted: AssertedIdentity;
  readonly interval: TimedInterval | undefined;
}

function toScscf(
  context: RequestContext,
  forward: SipMessage,
  { access, asserted, interval }: Caller,
  modules: PcscfModules,
  exchange?: MediaExchange,
): void {
  const { request, flow } = context;
  const { settings, counters, calls, charging, callRelease } = modules;
  const { serviceRoute } = asserted.registration;

  // 8. We stay in the path of what may become a dialog.
  recordRouteFromUe(forward, access, asserted.registration, modules, exchange?.marker);

  // 9. To the S-CSCF; its answers lose what a UE must not learn (§5.2.6.3.4).
  answerKeepAlive(context, settings);
  const charged = charging?.initial(forward, "originating");
  charged?.collectAt(asserted.registration.grants.ccf);
  let heard = false;
  const options: ForkOptions = {
    destination: { kind: "uri", side: "core", uri: serviceRoute.first },
    onResponse: (response, _fork, local) => {
      if (local && !heard && isUnreachable(response, request)) {
        counters.refused("coreUnreachable");
        charged?.sees(response);
        context.respond(504, { edit: (answer) => restorationBody(answer, request) });
        return "absorb";
      }
      heard = true;
      calls.sees(request, response, flow.id);
      callRelease?.ofUe(request, response, asserted.registration.owner);
      if (interval !== undefined) interval.answer(response);
      charged?.sees(response);
      stripTowardsUe(response);
      markForUe(response, access, modules);
      return "forward";
    },
  };
  context.fork(forward, exchange === undefined ? options : exchange.around(context, options));
}

/** §5.2.6.3.2A: the S-CSCF cannot be reached, or an INVITE got no answer at all. */
function isUnreachable(response: SipMessage, request: SipMessage): boolean {
  return response.status === 503 || (response.status === 408 && request.method === "INVITE");
}
