import {
  type AckContext,
  type Destination,
  type Flow,
  type ForkOptions,
  nextHop,
  type RequestContext,
  type SipMessage,
  type Uri,
} from "@ims/sip";
import type { MediaExchange } from "../media-gateway/media-exchange.ts";
import type { PcscfModules, Refusal, TimedInterval } from "./modules.ts";
import { isMarkOf, recordRouteFromUe, recordRouteToUe } from "./record-route.ts";
import { authorisedPriority } from "./resource-priority.ts";
import { popOwnRoute, routeSetKey } from "./routes.ts";
import { askSiblings, handAckToSibling, handToSibling } from "./sibling.ts";
import { accessTarget, toUe } from "./terminating.ts";
import { stripRequestFromUe, stripTowardsUe } from "./trust-domain.ts";

/** Requests of the UE inside a dialog: TS 24.229 §5.2.6.3.5, §5.2.6.3.9. */
export function fromUeInDialog(context: RequestContext, modules: PcscfModules): void | Promise<void> {
  const forward = context.forward();
  const refusal = admitFromUe(forward, context, modules);
  if (refusal !== undefined) {
    modules.counters.refused(refusal);
    return context.respond(403, { stateless: true, reason: "Forbidden (not your dialog)" });
  }
  const interval = modules.sessionTimers?.of(context.request);
  if (interval?.kind === "refused") return context.respond(422, interval);
  if (interval !== undefined) interval.edit(forward);
  // RFC 6665 §4.3: a NOTIFY may be what makes the dialog.
  if (forward.method === "NOTIFY") {
    const access = modules.flows.access(context.flow);
    recordRouteFromUe(forward, access, access.sole, modules);
  }
  modules.callRelease?.sees(forward, "ue");
  const exchange = exchangeOf(context, "ue", context.flow, modules);
  if (exchange === undefined) return toCore(context, forward, interval, modules);
  return exchange.converts(context, forward).then((goesOn) => {
    if (goesOn) toCore(context, forward, interval, modules, exchange);
  });
}

function toCore(
  context: RequestContext,
  forward: SipMessage,
  interval: TimedInterval | undefined,
  modules: PcscfModules,
  exchange?: MediaExchange,
): void {
  const charged = modules.charging?.inDialog(forward, forward.fromTag);
  const options: ForkOptions = {
    destination: { kind: "uri", side: "core" },
    onResponse: (response) => {
      if (interval !== undefined) interval.answer(response);
      charged?.sees(response);
      modules.calls.sees(forward, response, context.flow.id);
      stripTowardsUe(response);
      return "forward";
    },
  };
  context.fork(forward, exchange === undefined ? options : exchange.around(context, options));
}

/** Requests to the UE inside a dialog: TS 24.229 §5.2.6.4.5, §5.2.6.4.9. */
export function toUeInDialog(context: RequestContext, modules: PcscfModules): void | Promise<void> {
  const interval = modules.sessionTimers?.of(context.request);
  if (interval?.kind === "refused") return context.respond(422, interval);
  const forward = context.forward();
  const target = accessTarget(forward, modules);
  if (target.kind === "refused") {
    if (target.status === 430 && (handToSibling(context, modules) || askSiblings(context, modules))) return;
    return context.respond(target.status, { reason: target.reason });
  }
  stripTowardsUe(forward);
  if (interval !== undefined) interval.edit(forward);
  if (forward.method === "NOTIFY") {
    const access = modules.flows.access(target.flow);
    recordRouteToUe(forward, access, access.sole, modules);
  }
  modules.callRelease?.sees(forward, "far");
  const { flow } = target;
  const exchange = exchangeOf(context, "core", flow, modules);
  const onward = (): void => {
    const charged = modules.charging?.inDialog(forward, forward.toTag);
    toUe(context, forward, flow, modules, { edit: interval?.answer, charged, exchange });
  };
  if (exchange === undefined) return onward();
  return exchange.converts(context, forward).then((goesOn) => {
    if (goesOn) onward();
  });
}

/** What a request needs of a media gateway; with a BYE the call needs none any more. */
function exchangeOf(
  { request }: Pick<RequestContext, "request">,
  from: "ue" | "core",
  ue: Flow,
  { media }: PcscfModules,
): MediaExchange | undefined {
  if (media === undefined) return undefined;
  if (request.method === "BYE") media.bye(request, from);
  return media.inDialog(request, from, ue);
}

/** ACK of a 2xx, either way. Nobody can be told when it cannot go on. */
export function acknowledge(context: AckContext, side: "access" | "core", modules: PcscfModules): void {
  const forward = context.forward();
  if (side === "access") {
    const refusal = admitFromUe(forward, context, modules);
    if (refusal !== undefined) modules.counters.refused(refusal);
    else
      sendAck(
        context,
        forward,
        { kind: "uri", side: "core" },
        exchangeOf(context, "ue", context.flow, modules),
      );
    return;
  }
  const target = accessTarget(forward, modules);
  if (target.kind === "refused") {
    if (target.status === 430) handAckToSibling(context, modules);
    return;
  }
  stripTowardsUe(forward);
  const { flow } = target;
  sendAck(context, forward, { kind: "flow", flow }, exchangeOf(context, "core", flow, modules));
}

function sendAck(
  context: AckContext,
  forward: SipMessage,
  destination: Destination,
  exchange: MediaExchange | undefined,
): void {
  if (exchange === undefined) context.send(forward, destination);
  else exchange.acknowledges(forward, () => context.send(forward, destination));
}

/** Takes our Route values off and strips the request; a refusal when it may not go on. */
function admitFromUe(
  forward: SipMessage,
  { flow }: Pick<RequestContext, "flow">,
  { own, flows, tokens, serviceRoutes, resourcePriorities }: PcscfModules,
): Refusal | undefined {
  // 1. The first Route is our Record-Route, made for this flow, or by any member of the pool for another flow of the UE that
  // is registered over this one now; the second is its other half.
  const first = popOwnRoute(forward, own);
  if (first === undefined || first.side !== "access") return "foreignRoute";
  const access = flows.access(flow);
  if (first.token !== access.token && !flows.isOwner(first.owner, access)) return "foreignDialog";
  if (popOwnRoute(forward, own)?.side !== "core") return "foreignRoute";

  // 2. It was made for this dialog and this route set (§5.2.6.3.5 steps 1 and 2).
  const routes = forward.values("Route");
  const routeSet = routeSetKey(routes);
  if (routeSet === undefined || !isMarkOf(first, forward.callId, routeSet, tokens)) return "foreignDialog";

  // 3. No relay to elsewhere: without a further Route the Request-URI is of the trusted side.
  const next = routes.length > 0 ? undefined : nextHop(forward);
  if (routes.length === 0 && (next === undefined || !isTrusted(next, own, serviceRoutes)))
    return "foreignRoute";

  // 4. Nothing a UE may not assert goes on (§4.4), but a priority that it has.
  const priority = authorisedPriority(forward, access.sole, { resourcePriorities });
  stripRequestFromUe(forward);
  if (priority !== "") forward.append("Resource-Priority", priority);
  if (forward.has("P-Preferred-Identity")) forward.remove("P-Preferred-Identity");
  return undefined;
}

function isTrusted(
  uri: Uri,
  own: PcscfModules["own"],
  serviceRoutes: PcscfModules["serviceRoutes"],
): boolean {
  if (uri.parameters.has("maddr")) return false;
  return own.sideOf(uri) === "core" || serviceRoutes.isCoreHost(uri.host);
}
