import { aliasesOf, canonicalImpu, isPsapCallback, SessionCase } from "@ims/ims";
import { type Fork, popOwnRoutes, type RequestContext, type SipMessage } from "@ims/sip";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import type { Binding, Registration } from "../store/registration.ts";
import { isEmergency, isEmergencyOnly, liveBindings, ordinaryBindings } from "../store/registration.ts";
import { addTermIoi } from "./charging.ts";
import { removeFailedFlow } from "./deregistration.ts";
import { recoveredBinding } from "./flow-recovery.ts";
import type { ScscfModules } from "./modules.ts";
import type { OriginalDialog } from "./odi-token.ts";
import { originating } from "./originating.ts";
import { recordRoute } from "./record-route.ts";
import { type Branch, type SearchOrder, searchOrder, searchOrderFor } from "./search-order.ts";
import { profileKey, type ServedUser, servedUser } from "./served-user.ts";
import { type Chain, nextInChain, printOf } from "./service-chain.ts";
import { refuseForStore } from "./store-away.ts";
import { unregisteredUser } from "./unregistered.ts";

/** Initial request or standalone transaction to a served user: TS 24.229 §5.4.3.3. `dialog`: back from an application server. */
export async function terminating(
  context: RequestContext,
  modules: ScscfModules,
  dialog?: OriginalDialog,
): Promise<void> {
  const { clock, counters, filterCriteria, gruus, options } = modules;
  const { request } = context;
  const refuse = (status: number): void => {
    counters.session("terminating", "refused");
    context.respond(status);
  };
  // 1. The served user: the Request-URI, be it a GRUU.
  const gruu = gruus.resolve(request.requestUri);
  const impu = dialog?.impu ?? gruu?.impu ?? canonicalImpu(request.requestUri);
  if (impu === undefined) return refuse(404);
  const wildcard = dialog?.wildcard || profileKey(request);
  let user = await servedUser(modules, impu, wildcard);
  if (user.kind === "unavailable") {
    counters.session("terminating", "refused");
    return refuseForStore(context, user);
  }
  if (user.kind === "notFound") user = await unregisteredUser(modules, impu, wildcard);
  if (user.kind === "unavailable") return refuse(504);
  if (user.kind === "hssBusy") {
    counters.session("terminating", "refused");
    return refuseForBusyHss(context);
  }
  // 2. Unknown: 404; barred: 404 (step 1). A PSAP calls back whoever has called it (RFC 7090).
  const callback = isPsapCallback(request.header("Priority"));
  if (user.kind === "notFound") return refuse(404);
  if (user.member.identity.barred && !callback) {
    context.decided("barred identity", { servedUser: impu });
    return refuse(404);
  }
  // 3. An application server has sent it elsewhere (step 3): it leaves on behalf of the served user.
  const served = user;
  modules.charging?.served(request, served.registration.charging);
  if (dialog !== undefined && isRetargeted(request.requestUri, gruu?.impu, dialog, served)) {
    counters.applicationServer("retargeted");
    return originating(context, modules, { divertedBy: dialog.impu });
  }

  const interval = modules.sessionTimers?.of(request);
  if (interval?.kind === "refused") {
    counters.session("terminating", "refused");
    return context.respond(422, interval);
  }

  // 4. The contacts to alert: all, or those of the instance that the GRUU names (step 10). None: 480 (step 13).
  const live = liveBindings(served.registration, clock.now());
  const bindings = contactsFor(callback, gruu === undefined ? live : live.filter(gruu.matches));
  const alert = (): void => {
    // A GRUU leaves the caller no choice.
    const groups =
      gruu === undefined
        ? searchOrderFor(request, bindings, options.lessPreferredContacts)
        : searchOrder(bindings);
    if (groups.length === 0) return refuse(480);
    // 6. Retarget, record, fork by q and what the caller wants (steps 5, 8, 10, 11).
    counters.session("terminating", "routed");
    if (interval !== undefined) context.onUpstream(interval.answer);
    forkTo(context, modules, served.registration, groups);
  };
  const criteria = filterCriteria.of(served.member.profile);
  if (criteria !== undefined || bindings.length > 0)
    context.onUpstream((response) => {
      if (response.status > 100 && response.status < 300) addTermIoi(response, request, options.homeDomain);
    });
  // No service bars or diverts a call back (RFC 7090 §1).
  if (criteria === undefined || callback) return alert();

  // 5. The application servers that its filter criteria name (steps 3 to 4A).
  const forwarded = context.forward();
  popOwnRoutes(forwarded, modules);
  forwarded.remove("P-Served-User").remove("P-Profile-Key");
  const registered =
    served.registration.state === "registered" && live.length > 0 && !isEmergencyOnly({ bindings: live });
  const usual = registered ? SessionCase.TERMINATING_REGISTERED : SessionCase.TERMINATING_UNREGISTERED;
  const chain: Chain = {
    user: served,
    wildcard: served.member.wildcard === undefined ? "" : served.member.canonical,
    criteria,
    sessionCase: dialog?.sessionCase ?? usual,
    request: forwarded,
    finish: alert,
  };
  nextInChain(context, modules, chain, dialog);
}

/**
 * A call back by a PSAP goes to the contacts of emergency registrations, another call to the others (TS 24.229 §5.4.8). Where there are
 * none of the other kind it goes to those there are: a PSAP in the PSTN cannot mark its call.
 */
function contactsFor(callback: boolean, bindings: readonly Binding[]): readonly Binding[] {
  const ordinary = ordinaryBindings(bindings);
  if (ordinary === bindings) return bindings;
  return callback || ordinary.length === 0 ? bindings.filter(isEmergency) : ordinary;
}

/** Neither the Request-URI that the application server got, nor another name or a GRUU of the served user (TS 24.229 §3.1, alias URI). */
function isRetargeted(
  requestUri: string,
  gruuOf: string | undefined,
  { uriPrint, impu }: OriginalDialog,
  { registration, member }: ServedUser & { kind: "served" },
): boolean {
  if (printOf(requestUri) === uriPrint) return false;
  const target = gruuOf ?? canonicalImpu(requestUri);
  if (target === undefined) return true;
  if (target === impu) return false;
  return !aliasesOf(registration.profile, member).some(({ canonical }) => canonical === target);
}

/**
 * A group at a time: the next begins when the last fork of this one has failed. ProxyCore picks the best answer of all. `failed`: the
 * fork to the UE's flow that is gone, whose phone may be ringing still.
 */
function forkTo(
  context: RequestContext,
  modules: ScscfModules,
  registration: Registration,
  groups: SearchOrder,
  failed?: Fork,
): void {
  const [group, ...later] = groups;
  if (group === undefined) return;
  let open = group.length;
  const only = group.length === 1 && later.length === 0 && failed === undefined;
  const { contactRingSeconds = 0 } = modules.options;
  const isLimited = later.length > 0 && contactRingSeconds > 0 && context.request.method === "INVITE";
  const again = async (gone: Binding, response: SipMessage, fork: Fork): Promise<void> => {
    const isOver = (): boolean => context.cancelled || context.answered;
    const fresh = await recoveredBinding(modules, registration.impu, gone, { isOver });
    if (context.answered) return;
    if (context.cancelled) context.respond(487);
    else if (fresh === undefined) context.relay(response);
    else forkTo(context, modules, registration, [[[fresh]]], fork);
  };
  const start = (branch: Branch, continues?: Fork): void => {
    const [binding, ...otherFlows] = branch;
    if (binding === undefined) return;
    context.fork(requestFor(context, modules, binding), {
      parallel: group.length,
      destination: { kind: "uri", side: modules.options.side },
      ...(isLimited ? { timeoutMs: contactRingSeconds * 1000 } : {}),
      ...(continues === undefined ? {} : { continues }),
      onResponse: (response, fork, local) => {
        if (response.status < 200) return "forward";
        const dead = response.status === 430 || (local && response.status === 503);
        if (response.status === 430) removeFailedFlow(modules, registration.impu, binding);
        // RFC 5626 §7: the next flow of the same UE.
        if (dead && otherFlows.length > 0 && !context.cancelled) {
          start(otherFlows, fork);
          return "absorb";
        }
        // The only place there was: the UE may be about to register over a new flow (RFC 5626 §4.5).
        if (response.status === 430 && only && !context.cancelled && !context.answered) {
          void again(binding, response, fork);
          return "absorb";
        }
        open--;
        const refused = response.status >= 300 && response.status < 600;
        if (open === 0 && refused && later.length > 0 && !context.cancelled && !context.answered)
          forkTo(context, modules, registration, later);
        return "forward";
      },
    });
  };
  for (const branch of group) start(branch, failed);
}

/** What a contact gets: TS 24.229 §5.4.3.3 step 10. */
function requestFor(context: RequestContext, modules: ScscfModules, binding: Binding): SipMessage {
  const forwarded = context.forward();
  // 1. Our Route goes, also what the I-CSCF told us.
  popOwnRoutes(forwarded, modules);
  forwarded.remove("P-Served-User").remove("P-Profile-Key");
  // 2. Who was called (RFC 7315 §4.2).
  forwarded.set("P-Called-Party-ID", `<${context.request.requestUri}>`);
  // 3. The contact, by the way it registered (RFC 3327 §5.4).
  forwarded.requestUri = binding.contact;
  forwarded.remove("Route");
  for (const one of binding.path) forwarded.append("Route", one);
  // 4. Stay on the path; the session may have to be refreshed (§5.4.4.1, RFC 4028 §8).
  recordRoute(forwarded, modules.options.routedUri ?? modules.options.scscfUri);
  const interval = modules.sessionTimers?.of(context.request);
  if (interval?.kind === "timed") interval.edit(forwarded);
  return forwarded;
}
