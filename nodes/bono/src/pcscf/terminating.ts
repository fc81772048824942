import { type ChargedRequest, canonicalImpu } from "@ims/ims";
import { type Flow, type ForkOptions, locateUri, type RequestContext, type SipMessage } from "@ims/sip";
import type { MediaExchange } from "../media-gateway/media-exchange.ts";
import { addChargingVector } from "./charging.ts";
import { authoriseEarlyMedia } from "./early-media.ts";
import type { AccessFlow } from "./flow-table.ts";
import { defaultIdentity } from "./identity.ts";
import type { PcscfModules, TimedInterval } from "./modules.ts";
import { recordRouteToUe } from "./record-route.ts";
import type { Registration } from "./registration.ts";
import { popOwnRoute } from "./routes.ts";
import { handToSibling, withoutSibling } from "./sibling.ts";
import { stripResponseFromUe, stripTowardsUe } from "./trust-domain.ts";

/** Where a request from the trusted side has to go. */
export type AccessTarget =
  | { readonly kind: "flow"; readonly flow: Flow }
  | { readonly kind: "refused"; readonly status: 403 | 404 | 430; readonly reason: string };

/** Requests terminated by the UE, outside a dialog: TS 24.229 §5.2.6.4.3. They come from the trusted side only. */
export function terminating(context: RequestContext, modules: PcscfModules): void | Promise<void> {
  const { request } = context;
  const { flows, sessionTimers } = modules;
  // 0. The session may have to be refreshed (§5.2.7.3).
  const interval = sessionTimers?.of(request);
  if (interval?.kind === "refused") return context.respond(422, interval);

  // 1. Our Route values go; the flow token says which UE (RFC 5626 §5.3).
  const forward = context.forward();
  const target = accessTarget(forward, modules);
  if (target.kind === "refused") {
    if (target.status === 430 && handToSibling(context, modules)) return;
    return context.respond(target.status, { reason: target.reason });
  }
  const access = flows.access(target.flow);
  withoutSibling(context, forward, modules);

  // 2. Who is called: his identity goes into his answers (§5.2.6.4.4).
  const called = calledParty(request) ?? defaultIdentity(access)?.assertion;
  const registration =
    access.sole ?? (called === undefined ? undefined : registrationOf(called, access)) ?? access.emergency;

  // 3. What a UE must not learn stays here.
  stripTowardsUe(forward);
  if (interval !== undefined) interval.edit(forward);

  // 4. What is offered to it may have to pass a media gateway (§6.7.2).
  const callee = { access, called, registration, interval };
  const exchange = modules.media?.initial(request, "core", target.flow);
  if (exchange === undefined) return toCallee(context, forward, callee, modules);
  return exchange.converts(context, forward).then((goesOn) => {
    if (goesOn) toCallee(context, forward, callee, modules, exchange);
  });
}

/** Who is called, and what was asked for the refresh of the session. */
interface Callee {
  readonly access: AccessFlow;
  readonly called: string | undefined;
  readonly registration: Registration | undefined;
  readonly interval: TimedInterval | undefined;
}

function toCallee(
  context: RequestContext,
  forward: SipMessage,
  { access, called, registration, interval }: Callee,
  modules: PcscfModules,
  exchange?: MediaExchange,
): void {
  const { request } = context;
  const { charging, settings, callRelease } = modules;

  // 5. We stay in the path of what may become a dialog.
  recordRouteToUe(forward, access, registration, modules, exchange?.marker);

  // 6. To the flow, never to the address in the Contact: there may be a NAT between.
  const charged = charging?.initial(request, "terminating");
  charged?.collectAt(registration?.grants.ccf);
  const edit = (response: SipMessage): void => {
    if (called !== undefined) response.append("P-Asserted-Identity", called);
    if (response.status < 300) {
      restoreList("Record-Route", response, forward);
      addChargingVector(response, request, settings);
      callRelease?.toUe(request, response, registration?.owner ?? "");
      authoriseEarlyMedia(response, request, settings);
      if (interval !== undefined) interval.answer(response);
    } else response.remove("Record-Route");
  };
  toUe(context, forward, access.flow, modules, { edit, charged, exchange });
}

/** Takes our Route values off the top of a request from the trusted side and reads the flow token in them. */
export function accessTarget(request: SipMessage, { own, flows, counters }: PcscfModules): AccessTarget {
  let token = "";
  let owner = "";
  for (let route = popOwnRoute(request, own); route !== undefined; route = popOwnRoute(request, own)) {
    ({ token, owner } = route);
    if (token !== "") break;
  }
  if (token === "") {
    counters.refused("noRoute");
    return { kind: "refused", status: 404, reason: "Not Found (no flow token)" };
  }
  const found = flows.resolve(token, owner);
  if (found.kind === "flow") return found;
  if (found.kind === "forged") {
    counters.refused("forgedToken");
    return { kind: "refused", status: 403, reason: "Forbidden (flow token)" };
  }
  counters.refused("flowGone");
  return { kind: "refused", status: 430, reason: "Flow Failed" };
}

/** What becomes of a UE's responses. */
interface OfResponses {
  readonly edit?: ((response: SipMessage) => void) | undefined;
  readonly charged?: ChargedRequest | undefined;
  readonly exchange?: MediaExchange | undefined;
}

/** Sends a request to a UE; its responses lose what it may not assert. */
export function toUe(
  context: RequestContext,
  request: SipMessage,
  flow: Flow,
  { counters, calls }: PcscfModules,
  { edit, charged, exchange }: OfResponses,
): void {
  const options: ForkOptions = {
    destination: { kind: "flow", flow, sole: true },
    onResponse: (response, _fork, local) => {
      if (local) {
        charged?.sees(response);
        // RFC 5626 §5.3: the connection went away under the request.
        if (response.status !== 503) return "forward";
        counters.refused("flowGone");
        context.respond(430, { reason: "Flow Failed" });
        return "absorb";
      }
      calls.sees(request, response, flow.id);
      stripResponseFromUe(response);
      // §5.2.6.4.4: the UE has no say in the way of its answers.
      restoreList("Via", response, context.request);
      edit?.(response);
      charged?.sees(response);
      return "forward";
    },
  };
  context.fork(request, exchange === undefined ? options : exchange.around(context, options));
}

/** Makes a list of header values what it was in the request, if the UE has changed it. */
function restoreList(name: "Via" | "Record-Route", response: SipMessage, request: SipMessage): void {
  if (response.hasSameLines(name, request)) return;
  response.remove(name).copy(name, request);
}

/** Whose registration over a flow with several of them. */
function registrationOf(nameAddr: string, access: AccessFlow): Registration | undefined {
  const impu = canonicalImpu(nameAddr.slice(1, -1));
  return impu === undefined ? undefined : access.identity(impu)?.registration;
}

/** P-Called-Party-ID as a value of P-Asserted-Identity. */
function calledParty(request: SipMessage): string | undefined {
  const value = request.header("P-Called-Party-ID");
  const located = value === undefined ? undefined : locateUri(value);
  return value === undefined || located === undefined
    ? undefined
    : `<${value.slice(located.start, located.end)}>`;
}
