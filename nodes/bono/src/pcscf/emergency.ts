import type { ForkOptions, RequestContext, SipMessage, Uri } from "@ims/sip";
import { type AlternativeAction, alternativeService } from "./alternative-service.ts";
import { chargingVector } from "./charging.ts";
import type { AccessFlow } from "./flow-table.ts";
import { type AssertedIdentity, identityIn, initiator } from "./identity.ts";
import { answerKeepAlive } from "./keep-alive.ts";
import type { PcscfModules } from "./modules.ts";
import { markForUe, recordRouteFromUe } from "./record-route.ts";
import { stripRequestFromUe, stripTowardsUe } from "./trust-domain.ts";

/** An E-CSCF that says nothing to an INVITE by then is passed over when there is another one. */
const SILENCE_MS = 3_000;

/** What an emergency begins with; all else is inside its dialog. */
const METHODS: ReadonlySet<string> = new Set(["INVITE", "MESSAGE"]);

/** Requests of a UE for an emergency service, outside a dialog: TS 24.229 §5.2.10. Nobody is challenged; nothing waits for a registration. */
export function emergency(
  context: RequestContext,
  service: string,
  modules: PcscfModules,
): void | Promise<void> {
  const { request, flow } = context;
  const { flows, settings, emergencySources, counters, calls, charging } = modules;

  if (!METHODS.has(request.method))
    return context.respond(405, {
      stateless: true,
      edit: (response) => void response.append("Allow", [...METHODS].join(", ")),
    });

  // 1. Who is it? The emergency registration of this flow counts before any other (§5.2.10.3, §5.2.10.4).
  const access = flows.access(flow);
  const asserted = callerOn(request, access, modules);
  const isEmergencyRegistered = asserted?.registration.grants.emergency === true;
  if (asserted === undefined && !emergencySources.admit(flow.remoteAddress)) {
    counters.refused("sourceLimit");
    return context.respond(503, {
      stateless: true,
      edit: (response) => void response.append("Retry-After", "1"),
    });
  }

  // 2. Whom the operator lets call, and whether there is anybody to send it to (§5.2.10.2, §5.2.10.4, §5.2.10.5).
  const { ecscfs, emergencyFrom, emergencyPriority } = settings;
  const instead = (action: AlternativeAction, reason: string): void => {
    counters.refused("alternativeService");
    const pcscf = `sip:${access.token}@${settings.coreHostPort};lr`;
    context.respond(380, {
      stateless: asserted === undefined,
      reason: "Alternative Service",
      edit: (response) => alternativeService(response, { action, reason, service, pcscf }),
    });
  };
  if (ecscfs.length === 0) return instead("none", "No emergency calls over IMS");
  if (emergencyFrom !== "anyone" && asserted === undefined) {
    counters.refused("notRegistered");
    return context.respond(403, { stateless: true, reason: "Forbidden (emergency registration required)" });
  }
  if (emergencyFrom === "emergencyRegistered" && !isEmergencyRegistered)
    return instead("emergency-registration", "Emergency registration required");

  // 3. Nothing a UE may not assert goes on (§4.4), whatever Route it has preloaded (§5.2.10.2).
  const forward = context.forward();
  stripRequestFromUe(forward);
  forward.remove("Route").remove("P-Preferred-Identity");
  if (service !== request.requestUri) forward.requestUri = service;

  // 4. Who can be called back: the asserted identity, and the number of the same set beside it (§5.2.10.3).
  for (const value of assertions(asserted)) forward.append("P-Asserted-Identity", value);
  forward.append("P-Charging-Vector", chargingVector(modules));
  if (emergencyPriority !== "") forward.append("Resource-Priority", emergencyPriority); // RFC 7135

  // 5. A PSAP speaks RTP/AVP; who is in need is not refused because a browser does not (§6.7.2).
  const exchange = modules.media?.initial(forward, "ue", flow, true);
  const onward = (): void => {
    // 6. We stay in the path.
    recordRouteFromUe(forward, access, asserted?.registration, modules, exchange?.marker);
    answerKeepAlive(context, settings);

    // 7. To an E-CSCF; another one when it is silent or says 3xx or 480 (§5.2.10.2).
    const charged = charging?.initial(forward, "originating");
    charged?.collectAt(asserted?.registration.grants.ccf);
    const send = (index: number, ecscf: Uri): void => {
      const next = ecscfs[index + 1];
      let heard = false;
      const options: ForkOptions = {
        destination: { kind: "uri", side: "core", uri: ecscf },
        ...(next !== undefined && request.method === "INVITE" ? { firstResponseMs: SILENCE_MS } : {}),
        onResponse: (response, _fork, local) => {
          const { status } = response;
          // One that is about to end says 503 itself.
          const unreachable = status === 503 || (local && !heard && status === 408);
          heard ||= !local;
          if ((unreachable || status === 480 || (status >= 300 && status < 400)) && !context.cancelled) {
            if (next !== undefined) {
              send(index + 1, next);
              return "absorb";
            }
            if (unreachable) {
              counters.refused("coreUnreachable");
              charged?.sees(response);
              instead("none", "No E-CSCF can be reached");
              return "absorb";
            }
          }
          calls.sees(request, response, flow.id);
          charged?.sees(response);
          stripTowardsUe(response);
          markForUe(response, access, modules);
          return "forward";
        },
      };
      context.fork(forward.clone(), exchange === undefined ? options : exchange.around(context, options));
    };
    const [first] = ecscfs;
    if (first !== undefined) send(0, first);
  };
  if (exchange === undefined) return onward();
  return exchange.converts(context, forward).then((goesOn) => {
    if (goesOn) onward();
  });
}

/** Undefined: nobody is registered over this flow, or nobody knows which of several it is. */
function callerOn(
  request: SipMessage,
  access: AccessFlow,
  { flows }: PcscfModules,
): AssertedIdentity | undefined {
  const special = flows.emergencyOf(access);
  if (special !== undefined) return identityIn(request, special);
  const ordinary = initiator(request, access);
  return ordinary !== undefined && flows.isCurrent(ordinary.registration) ? ordinary : undefined;
}

/** A SIP URI is joined by the telephone number of its implicit registration set: a PSAP may have no other way to call back. */
function assertions(asserted: AssertedIdentity | undefined): readonly string[] {
  if (asserted === undefined) return [];
  const { assertion, registration } = asserted;
  if (/^<tel:/i.test(assertion)) return [assertion];
  const number = registration.identities.find(({ impu }) => impu.startsWith("tel:"));
  return number === undefined ? [assertion] : [assertion, number.assertion];
}
