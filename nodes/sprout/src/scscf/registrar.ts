import type { RequestContext, SipMessage } from "@ims/sip";
import type { ServerAssignmentOutcome } from "../cx/cx.ts";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import { refuseForSilentHss } from "../cx/hss-silent.ts";
import { isEmergencyOnly, liveBindings, type Registration } from "../store/registration.ts";
import type { Change } from "../store/registration-store.ts";
import { NONE_REMOVED } from "../store/removed-contact.ts";
import { NO_SUBSCRIPTIONS } from "../store/subscription.ts";
import { assign, assignmentFor, profileOf } from "./assignment.ts";
import { type AuthenticatedUser, authenticate } from "./authentication.ts";
import { applyContacts, type BindingChange } from "./binding-change.ts";
import { type RequestedContacts, requestedContacts } from "./contacts.ts";
import type { ScscfModules } from "./modules.ts";
import { acceptRegistration } from "./register-response.ts";
import { changeRegistration } from "./registration-change.ts";
import { removeByLapse } from "./removal-by-lapse.ts";
import { refuseForStore } from "./store-away.ts";

/** option-tags a REGISTER may require of the S-CSCF. */
const SUPPORTED: ReadonlySet<string> = new Set(["path", "outbound", "gruu", "sec-agree", "pref"]);

/** Longer than any real one; it is kept with each contact. */
const MAX_CALL_ID_LENGTH = 512;

/** REGISTER at the S-CSCF: TS 24.229 §5.4.1.2, §5.4.1.4; RFC 3261 §10.3. */
export async function register(context: RequestContext, modules: ScscfModules): Promise<void> {
  const { options, registrations, clock, counters, measurement } = modules;
  const { request } = context;
  const attempt = measurement.registration(context);
  // 1. What the UE requires must be understood (RFC 3261 §10.3 step 2).
  const unsupported = request.values("Require").filter((tag) => !SUPPORTED.has(tag.toLowerCase()));
  if (unsupported.length > 0)
    return context.respond(420, {
      edit: (response) => void response.append("Unsupported", unsupported.join(", ")),
    });

  // 2. Contacts, flows and intervals (RFC 3261 §10.3 step 6 and 7, RFC 5626 §6).
  const path = request.values("Path");
  const outbound = outboundOf(request, path);
  const wanted = requestedContacts(request, outbound === "yes");
  if (request.callId.length > MAX_CALL_ID_LENGTH)
    return context.respond(400, { reason: "Bad Request (Call-ID)" });
  if (wanted.kind === "malformed") return context.respond(400, { reason: "Bad Request (Contact)" });
  const emergency = wanted.kind === "contacts" && wanted.contacts[0]?.emergency === true;
  // §5.4.8.3: it ends by its time only.
  if (emergency && removesAny(wanted)) return context.respond(501);
  const brief =
    wanted.kind === "contacts" &&
    wanted.contacts.some(({ expires }) => expires > 0 && expires < options.minExpires);

  // 3. Who is it (§5.4.1.2.1, §5.4.1.2.2)?
  const removal = wanted.kind !== "fetch" && removesOnly(wanted);
  attempt.removal = removal;
  attempt.fetch = wanted.kind === "fetch";
  const user = await authenticate(context, modules, removal, attempt);
  if (user === undefined) return;
  if (outbound === "lacking") return context.respond(439);
  if (brief)
    return context.respond(423, {
      edit: (response) => void response.append("Min-Expires", String(options.minExpires)),
    });

  // 4. What is registered now, and what would be.
  const found = await registrations.find(user.impu);
  if (found.kind === "unavailable" && !found.unknown) return refuseForStore(context, found);
  const before = found.kind === "found" ? found.registration : undefined;
  attempt.registered = before !== undefined && liveBindings(before, clock.now()).length > 0;
  const change: BindingChange = { request, user, path, wanted, now: clock.now(), modules };
  if (wanted.kind === "fetch") {
    const bindings = before === undefined ? [] : liveBindings(before, change.now);
    acceptRegistration(context, modules, user, before && { ...before, bindings });
    return;
  }
  const lately = "meta" in found ? (found.meta?.removed ?? NONE_REMOVED) : NONE_REMOVED;
  const trial = applyContacts(before?.bindings ?? [], lately, change);
  if (trial.kind === "refused") {
    counters.registration("refused");
    return context.respond(trial.status, refusalOf(trial.status));
  }

  // The same request again, after the member that had begun it died: it has had its effect, which need only be certain.
  if (before !== undefined && trial.repeated) return repeat(context, modules, user, before, emergency);
  // One that removes what is not there: perhaps such a one.
  if (
    trial.removed === 0 &&
    removesOnly(wanted) &&
    (await registrations.confirm(user.impu)) === "unavailable"
  )
    return refuseForStore(context, {});

  // 5. The HSS hears of it and gives the profile (TS 29.228 §6.1.2).
  const type = assignmentFor(before, trial.bindings, change);
  let assigned: ServerAssignmentOutcome | undefined;
  if (type !== undefined) {
    assigned = await assign(type, change, before);
    if (assigned.kind === "unavailable") {
      if (assigned.busy) return refuseForBusyHss(context);
      if (removal && before !== undefined) return removeByLapse(context, user, before, change);
      return refuseForSilentHss(context);
    }
    if (assigned.kind === "rejected") {
      counters.registration("refused");
      return context.respond(403);
    }
  }
  const next = profileOf(before, assigned, modules, emergency);
  // An emergency registration of a barred user makes him registered for nothing else.
  if (next === undefined || (!emergency && next.profile.defaultIdentity === undefined)) {
    // Nobody to deregister, or a profile that nobody can be served by (§5.4.1.2.2F: all identities barred).
    if (trial.bindings.length === 0 && removesOnly(wanted))
      return void acceptRegistration(context, modules, user, undefined);
    counters.registration("refused");
    return context.respond(403);
  }

  // 6. Written under the version that was read; another REGISTER in between is taken into account.
  let refusal = 0;
  let repeated = false;
  let removed = NONE_REMOVED;
  const apply: Change = (current, latelyRemoved) => {
    const outcome = applyContacts(current?.bindings ?? [], latelyRemoved, change);
    refusal = outcome.kind === "refused" ? outcome.status : 0;
    repeated = outcome.kind === "applied" && outcome.repeated;
    if (outcome.kind === "refused" || repeated) return "keep";
    ({ lately: removed } = outcome);
    if (outcome.bindings.length === 0) return current === undefined ? "keep" : "remove";
    return {
      ...next,
      bindings: outcome.bindings,
      aliasesUntil: current?.aliasesUntil ?? 0,
      subscriptions: current?.subscriptions ?? NO_SUBSCRIPTIONS,
    };
  };
  const stored = await changeRegistration(modules, next.impu, "unregistered", apply, () => removed);
  if (stored.kind === "unavailable") return refuseForStore(context, stored);
  if (refusal !== 0) return context.respond(refusal, refusalOf(refusal));
  if (repeated && stored.kind === "unchanged" && stored.registration !== undefined)
    return repeat(context, modules, user, stored.registration, emergency);

  // 7. 200, then whoever wants to know; neither delays the answer (§5.4.1.7, §5.4.2.1.2).
  const after: Registration | undefined = stored.kind === "stored" ? stored.registration : undefined;
  const initial = type === "REGISTRATION" || (before !== undefined && isEmergencyOnly(before));
  counters.registration(trial.removed > 0 ? "removed" : initial ? "initial" : "refreshed");
  const response = acceptRegistration(context, modules, user, after ?? { ...next, bindings: [] });
  stored.tell();
  // Nobody hears of an emergency registration (§5.4.8), nor is one what is left of the other.
  if (
    emergency ||
    (before !== undefined && after !== undefined && isEmergencyOnly(before) && isEmergencyOnly(after))
  )
    return;
  const exchange = response && { request, response };
  for (const listener of modules.listeners)
    if (after !== undefined && !isEmergencyOnly(after)) listener.registered(after, initial, exchange);
    else if (before !== undefined) listener.deregistered(before.impu, before, exchange);
}

/** 200 as the first time; no second SAR. Whether the listeners were told is not known: they hear of a refresh. */
async function repeat(
  context: RequestContext,
  modules: ScscfModules,
  user: AuthenticatedUser,
  registration: Registration,
  emergency: boolean,
): Promise<void> {
  const { registrations, clock, counters, listeners } = modules;
  if ((await registrations.confirm(registration.impu)) === "unavailable") return refuseForStore(context, {});
  counters.registration("repeated");
  const bindings = liveBindings(registration, clock.now());
  const { request } = context;
  const response = acceptRegistration(context, modules, user, { ...registration, bindings });
  if (emergency) return;
  const exchange = response && { request, response };
  for (const listener of listeners) listener.registered(registration, false, exchange);
}

/** RFC 5626 §6: reg-id counts when UE and edge proxy both support outbound; "lacking" when the edge proxy does not. */
function outboundOf(request: SipMessage, path: readonly string[]): "yes" | "no" | "lacking" {
  if (!request.has("Contact") || !request.values("Supported").some((tag) => tag.toLowerCase() === "outbound"))
    return "no";
  if (!request.values("Contact").some((value) => /;\s*reg-id\s*=/i.test(value))) return "no";
  return /;ob(?:[;=>]|$)/i.test(path.at(-1) ?? "") ? "yes" : "lacking";
}

/** What the trail is told of a change that was refused. */
function refusalOf(status: number): { readonly why: string } {
  return { why: status === 403 ? "too many contacts" : "an older request" };
}

function removesOnly(wanted: RequestedContacts): boolean {
  return wanted.kind !== "contacts" || wanted.contacts.every(({ expires }) => expires === 0);
}

function removesAny(wanted: RequestedContacts): boolean {
  return wanted.kind === "contacts" && wanted.contacts.some(({ expires }) => expires === 0);
}
