import type { RequestContext, SipMessage } from "@ims/sip";
import type { ServerAssignmentOutcome } from "../cx/cx.ts";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import {
  type Binding,
  isEmergency,
  isEmergencyOnly,
  liveBindings,
  type Registration,
} from "../store/registration.ts";
import type { Change } from "../store/registration-store.ts";
import {
  isRemoved,
  NONE_REMOVED,
  REMOVED_SECONDS,
  type RemovedContact,
  withRemoved,
} from "../store/removed-contact.ts";
import { NO_SUBSCRIPTIONS } from "../store/subscription.ts";
import { assign, assignmentFor, profileOf } from "./assignment.ts";
import { type AuthenticatedUser, authenticate } from "./authentication.ts";
import { type RequestedContact, type RequestedContacts, requestedContacts } from "./contacts.ts";
import type { ScscfModules } from "./modules.ts";
import { acceptRegistration } from "./register-response.ts";
import { changeRegistration } from "./registration-change.ts";
import { refuseForStore } from "./store-away.ts";

/** option-tags a REGISTER may require of the S-CSCF. */
const SUPPORTED: ReadonlySet<string> = new Set(["path", "outbound", "gruu", "sec-agree", "pref"]);

/** Longer than any real one; it is kept with each contact. */
const MAX_CALL_ID_LENGTH = 512;

/** REGISTER at the S-CSCF: TS 24.229 §5.4.1.2, §5.4.1.4; RFC 3261 §10.3. */
export async function register(context: RequestContext, modules: ScscfModules): Promise<void> {
  const { options, registrations, clock, counters } = modules;
  const { request } = context;
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
  const user = await authenticate(context, modules, removal);
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
    return context.respond(trial.status);
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
    if (assigned.kind === "unavailable")
      return assigned.busy ? refuseForBusyHss(context) : context.respond(504);
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
  if (refusal !== 0) return context.respond(refusal);
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

export interface BindingChange {
  readonly request: SipMessage;
  readonly user: AuthenticatedUser;
  readonly path: readonly string[];
  readonly wanted: RequestedContacts;
  readonly now: number;
  readonly modules: ScscfModules;
}

type Applied =
  | {
      readonly kind: "applied";
      readonly bindings: readonly Binding[];
      readonly removed: number;
      /** Every contact is there as this very request has registered it. */
      readonly repeated: boolean;
      /** Contacts removed lately, by this one too. */
      readonly lately: readonly RemovedContact[];
    }
  | { readonly kind: "refused"; readonly status: number };

/** RFC 5626 §6: reg-id counts when UE and edge proxy both support outbound; "lacking" when the edge proxy does not. */
function outboundOf(request: SipMessage, path: readonly string[]): "yes" | "no" | "lacking" {
  if (!request.has("Contact") || !request.values("Supported").some((tag) => tag.toLowerCase() === "outbound"))
    return "no";
  if (!request.values("Contact").some((value) => /;\s*reg-id\s*=/i.test(value))) return "no";
  return /;ob(?:[;=>]|$)/i.test(path.at(-1) ?? "") ? "yes" : "lacking";
}

function removesOnly(wanted: RequestedContacts): boolean {
  return wanted.kind !== "contacts" || wanted.contacts.every(({ expires }) => expires === 0);
}

function removesAny(wanted: RequestedContacts): boolean {
  return wanted.kind === "contacts" && wanted.contacts.some(({ expires }) => expires === 0);
}

/** Bindings after this REGISTER: RFC 3261 §10.3 step 7. Pure: it may run again after a contention. */
function applyContacts(
  existing: readonly Binding[],
  removedBefore: readonly RemovedContact[],
  change: BindingChange,
): Applied {
  const { request, user, wanted, now, modules } = change;
  const { maxBindings } = modules.options;
  const { impi } = user;
  const callId = request.callId;
  const cseq = request.cseqNumber;
  let bindings = existing.filter((binding) => binding.expiresAt > now);
  const before = bindings.length;
  const mine = (binding: Binding): boolean => binding.impi === impi;
  // §5.4.8.3: "*" is for all but those of emergency registrations.
  const mineOfAll = (binding: Binding): boolean => mine(binding) && !isEmergency(binding);
  const late = (binding: Binding): boolean => binding.callId === callId && cseq <= binding.cseq;
  const gone: RemovedContact[] = [];
  const until = now + REMOVED_SECONDS * 1000;
  const forget = (key: string, known: Binding | undefined): void => {
    gone.push({ impi, key, callId, cseq, until });
    if (known !== undefined && known.callId !== callId)
      gone.push({ impi, key, callId: known.callId, cseq: known.cseq, until });
  };
  const applied = (removed: number, repeated: boolean): Applied => {
    const lately = withRemoved(removedBefore, now, gone);
    return { kind: "applied", bindings, removed, repeated, lately };
  };
  if (wanted.kind === "all") {
    if (bindings.some((binding) => mineOfAll(binding) && late(binding)))
      return { kind: "refused", status: 500 };
    for (const binding of bindings) if (mineOfAll(binding)) forget(binding.key, binding);
    bindings = bindings.filter((binding) => !mineOfAll(binding));
    return applied(before - bindings.length, false);
  }
  if (wanted.kind !== "contacts") return applied(0, false);
  let removed = 0;
  let repeated = 0;
  for (const contact of wanted.contacts) {
    const { key } = contact;
    const at = bindings.findIndex((binding) => mine(binding) && binding.key === key);
    const known = bindings[at];
    if (known !== undefined && repeats(contact, known, change)) {
      repeated++;
      continue;
    }
    if (known !== undefined && late(known)) return { kind: "refused", status: 500 };
    if (contact.expires === 0) {
      forget(key, known);
      if (known === undefined) continue;
      bindings = bindings.filter((_, index) => index !== at);
      removed++;
      continue;
    }
    // Held up on its way, until a later one had removed the contact.
    if (isRemoved(removedBefore, { impi, key, callId, cseq }, now)) return { kind: "refused", status: 500 };
    const binding = bindingFor(contact, known, change);
    if (known !== undefined) bindings = bindings.map((one, index) => (index === at ? binding : one));
    else if (isFull(bindings, contact, maxBindings)) return { kind: "refused", status: 403 };
    else bindings = [...bindings, binding];
  }
  return applied(removed, repeated === wanted.contacts.length);
}

/** Each kind has room of its own: nobody has too many phones for an emergency. */
function isFull(bindings: readonly Binding[], { emergency }: RequestedContact, max: number): boolean {
  if (bindings.length < max) return false;
  let count = 0;
  for (const binding of bindings) if (isEmergency(binding) === emergency) count++;
  return count >= max;
}

/** Whether a binding is what this very request has made of it. */
function repeats(contact: RequestedContact, known: Binding, { request, path }: BindingChange): boolean {
  return (
    contact.expires > 0 &&
    known.callId === request.callId &&
    known.cseq === request.cseqNumber &&
    known.contact === contact.contact &&
    known.parameters === contact.parameters &&
    known.path.length === path.length &&
    known.path.every((one, index) => one === path[index])
  );
}

function bindingFor(
  contact: RequestedContact,
  known: Binding | undefined,
  { request, user, path, now, modules }: BindingChange,
): Binding {
  const callId = request.callId;
  const gruu =
    contact.instance !== "" && request.values("Supported").some((tag) => tag.toLowerCase() === "gruu");
  return {
    contact: contact.contact,
    key: contact.key,
    impi: user.impi,
    callId,
    cseq: request.cseqNumber,
    expiresAt: now + Math.min(contact.expires, modules.options.maxExpires) * 1000,
    refreshedAt: now,
    q: contact.q,
    path,
    instance: contact.instance,
    regId: contact.regId,
    parameters: contact.parameters,
    gruu,
    // RFC 5627 §5.1: a REGISTER with another Call-ID ends the temporary GRUUs made before.
    gruuSince: known !== undefined && known.callId === callId ? known.gruuSince : now,
    gruuCseq: known !== undefined && known.callId === callId ? known.gruuCseq : request.cseqNumber,
    registered: user.impu,
  };
}
