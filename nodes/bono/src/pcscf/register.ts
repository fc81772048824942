import { canonicalImpu, impiOfImpu, isEmergencyRegistration } from "@ims/ims";
import { isSentElsewhere, parseNameAddr, type RequestContext, type SipMessage } from "@ims/sip";
import {
  type Credentials,
  credentialsOf,
  type IntegrityProtected,
  isStale,
  removeKeys,
  setIntegrityProtected,
} from "./authorization.ts";
import { chargingVector } from "./charging.ts";
import { grantedExpires, instanceOf } from "./contacts.ts";
import type { AccessFlow } from "./flow-table.ts";
import { answerKeepAlive, keepAliveInterval } from "./keep-alive.ts";
import type { PcscfModules } from "./modules.ts";
import { registrationFrom } from "./registration.ts";
import { stripRequestFromUe, stripTowardsUe } from "./trust-domain.ts";

/** Room for the I-CSCF to select a second S-CSCF, and well before the UE gives up (Timer F, 32 s). */
const ANSWER_WITHIN_MS = 25_000;

/** Registration: TS 24.229 §5.2.2, with the flows of RFC 5626 §5. */
export function register(context: RequestContext, modules: PcscfModules): void {
  const { request, flow } = context;
  const { settings, flows, guesses, counters } = modules;
  const access = flows.access(flow);
  const impu = registeredIdentity(request);
  const credentials = credentialsOf(request);
  if (impu === undefined || credentials === undefined) {
    counters.refused("malformed");
    return context.respond(400, {
      stateless: true,
      reason: `Bad Request (${impu === undefined ? "To" : "Authorization"})`,
    });
  }

  // 1. Is there an IP or TLS association for this user (§5.2.2.3, §5.2.2.4)? Who has none is held to his share.
  const emergency = isEmergencyRegistration(request.values("Contact"));
  const sources = emergency ? modules.emergencySources : modules.sources;
  const { impi } = credentials;
  const associated =
    impi !== "" &&
    (flows.registrationOf(access, impu)?.impi === impi || isEmergencyOf(impu, impi, access, flows));
  if (!associated && !sources.admit(flow.remoteAddress)) {
    counters.refused("sourceLimit");
    return context.respond(503, { stateless: true, why: "source limit", edit: retryAfterASecond });
  }
  const guess = credentials.answers;
  if (guess && !guesses.admit(flow.remoteAddress, credentials.impi)) {
    counters.refused("guessLimit");
    return context.respond(503, { stateless: true, why: "password tries", edit: retryAfterASecond });
  }

  // 2. Nothing a UE may not assert goes on (§4.4); neither do Routes nor security agreements (§5.2.2.1).
  const forward = context.forward();
  stripRequestFromUe(forward);
  forward.remove("Route");

  // 3. Path with the flow token; "ob" when the UE manages its flows and we are its first hop (RFC 5626 §5.1).
  forward.prepend("Path", pathValue(access, settings.coreHostPort, usesOutbound(request)));
  if (!forward.values("Require").some((tag) => tag.toLowerCase() === "path"))
    forward.append("Require", "path");

  // 4. Where and for whom charging starts: P-Visited-Network-ID, P-Charging-Vector.
  forward.append("P-Visited-Network-ID", settings.visitedNetworkId);
  forward.append("P-Charging-Vector", chargingVector(modules));

  // 5. What is known of the UE's integrity, never what it says itself.
  setIntegrityProtected(forward, integrityProtected(flow.protocol, associated, credentials));

  // 6. To the I-CSCF; what comes back decides about the flow.
  const charged = modules.charging?.initial(forward, "originating");
  answerKeepAlive(context, settings);
  context.fork(forward, {
    destination: { kind: "uri", side: "core", uri: settings.icscf },
    timeoutMs: ANSWER_WITHIN_MS,
    onResponse: (response, _fork, local) => {
      charged?.sees(response);
      if (local && (response.status === 408 || response.status === 503)) {
        // §5.2.2.1: no answer from the home network.
        if (guess) guesses.forgive(flow.remoteAddress, credentials.impi);
        counters.refused("coreUnreachable");
        context.respond(504);
        return "absorb";
      }
      if (response.status >= 200 && response.status < 300) {
        if (guess) guesses.succeeded(flow.remoteAddress, credentials.impi);
        accepted(response, request, { access, impu, impi, emergency }, modules);
      } else if (guess && response.status === 401 && isStale(response))
        guesses.forgive(flow.remoteAddress, credentials.impi);
      if (isSentElsewhere(response)) {
        // No member could. Upon 503 the UE would leave its flow for another P-CSCF, which asks the same members, and be called in
        // vain there (RFC 3261 §16.7 step 6).
        if (guess) guesses.forgive(flow.remoteAddress, credentials.impi);
        const retryAfter = response.header("Retry-After") ?? "";
        context.respond(500, { edit: (answer) => void answer.append("Retry-After", retryAfter) });
        return "absorb";
      }
      removeKeys(response);
      stripTowardsUe(response);
      // What is granted is between the P-CSCF and the S-CSCF.
      response.remove("Resource-Priority");
      return "forward";
    },
  });
}

/** 200 (OK): Service-Route, P-Associated-URI and expiry are kept with the flow, or forgotten (§5.2.2.1, §5.2.5.1). */
function accepted(
  response: SipMessage,
  request: SipMessage,
  who: { access: AccessFlow; impu: string; impi: string; emergency: boolean },
  modules: PcscfModules,
): void {
  const { flows, tokens, serviceRoutes, clock, counters, settings, registrationEvents } = modules;
  const { access, impu } = who;
  const granted = grantedExpires(request, response);
  if (granted === undefined) return; // No Contact: the UE only asked.
  if (who.emergency) return emergencyAccepted(response, request, { ...who, granted }, modules);
  const before = access.identity(impu)?.registration;
  const serviceRoute = serviceRoutes.from(response);
  if (granted === 0 || serviceRoute === undefined || !access.flow.open) {
    if (before !== undefined) {
      flows.deregister(access, before);
      registrationEvents?.deregistered(access, before);
      counters.deregistered();
    }
    return;
  }
  const impi = who.impi === "" ? (impiOfImpu(impu) ?? "") : who.impi;
  const registration = registrationFrom(response, {
    impi,
    owner: tokens.owner(impi, instanceOf(request)),
    impu,
    serviceRoute,
    expiresAt: clock.monotonic() + granted * 1000,
  });
  if (registration === undefined) return;
  flows.register(access, registration);
  if (before === undefined) counters.registered();
  else if (access.identity(impu)?.registration === before) flows.deregister(access, before);
  registrationEvents?.registered(access, registration, request);
  // RFC 5626 §5.4: when the flow is deemed dead without a keep-alive.
  const interval = keepAliveInterval(access.flow, settings);
  if (interval > 0 && response.values("Require").includes("outbound"))
    response.set("Flow-Timer", String(interval));
}

/** Nobody is told of it, and it changes nothing of the other registrations: TS 24.229 §5.2.10, §5.4.8. Its requests need no Service-Route. */
function emergencyAccepted(
  response: SipMessage,
  request: SipMessage,
  who: { access: AccessFlow; impu: string; impi: string; granted: number },
  { flows, tokens, serviceRoutes, clock, settings }: PcscfModules,
): void {
  const { access, impu, granted } = who;
  if (granted === 0 || !access.flow.open) return flows.deregisterEmergency(access);
  const impi = who.impi === "" ? (impiOfImpu(impu) ?? "") : who.impi;
  const registration = registrationFrom(response, {
    impi,
    // Not the owner of the ordinary registration, which may be over another flow.
    owner: tokens.owner(impi, `sos ${instanceOf(request)}`),
    impu,
    serviceRoute: serviceRoutes.from(response) ?? { line: "", first: settings.icscf },
    expiresAt: clock.monotonic() + granted * 1000,
    emergency: true,
  });
  if (registration !== undefined) flows.registerEmergency(access, registration);
}

function isEmergencyOf(
  impu: string,
  impi: string,
  access: AccessFlow,
  flows: PcscfModules["flows"],
): boolean {
  const registration = flows.emergencyOf(access);
  return registration?.impi === impi && registration.identity(impu) !== undefined;
}

/** The public user identity being registered; undefined when To holds none. */
function registeredIdentity(request: SipMessage): string | undefined {
  const to = parseNameAddr(request.header("To") ?? "");
  return to === undefined ? undefined : canonicalImpu(to.uriText);
}

function integrityProtected(
  protocol: string,
  associated: boolean,
  credentials: Credentials,
): IntegrityProtected | undefined {
  const secure = protocol === "TLS" || protocol === "WSS";
  if (associated) return secure ? "tls-yes" : "ip-assoc-yes";
  if (!credentials.answers) return undefined;
  return secure ? "tls-pending" : "ip-assoc-pending";
}

function pathValue(access: AccessFlow, coreHostPort: string, outbound: boolean): string {
  return `<sip:${access.token}@${coreHostPort};lr${outbound ? ";ob" : ""}>`;
}

/** RFC 5626 §5.1: reg-id in a Contact, "outbound" supported, one Via. */
function usesOutbound(request: SipMessage): boolean {
  if (!request.values("Supported").some((tag) => tag.toLowerCase() === "outbound")) return false;
  if (request.values("Via").length !== 1) return false;
  return request.values("Contact").some((value) => parseNameAddr(value)?.parameters.has("reg-id") === true);
}

function retryAfterASecond(response: SipMessage): void {
  response.append("Retry-After", "1");
}
