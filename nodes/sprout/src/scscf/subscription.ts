import { canonicalImpu, isEmergencyContact, REG_INFO_TYPE } from "@ims/ims";
import { decimal, locateUri, parseNameAddr, type RequestContext, type SipMessage } from "@ims/sip";
import { liveBindings, ordinaryBindings } from "../store/registration.ts";
import { type Subscription, subscriptionName } from "../store/subscription.ts";
import { addTermIoi } from "./charging.ts";
import type { ScscfModules } from "./modules.ts";
import { dueAgain, keyInContact, notifierContact, numbered } from "./notifier.ts";
import { profileKey, servedUser } from "./served-user.ts";
import { refuseForStore } from "./store-away.ts";
import { authorisedSubscriber } from "./subscriber.ts";

/** RFC 3680 §4.3: what a SUBSCRIBE means that says nothing. */
const DEFAULT_EXPIRES = 3761;
/** More than any UE, its P-CSCFs and its services need; of one subscriber the oldest gives way. A P-CSCF has one for each UE. */
const MAX_SUBSCRIPTIONS = 32;
const MAX_OF_ONE = { user: 4, applicationServer: 4, edge: 16 } as const;
/** What is kept of a dialog, in octets; longer than any real one. */
const MAX_DIALOG_LENGTH = 6_144;

/** Is it the registration event package (RFC 3680 §4.1)? */
export function isRegEvent(request: SipMessage): boolean {
  return request.header("Event")?.split(";")[0]?.trim().toLowerCase() === "reg";
}

/**
 * SUBSCRIBE outside a dialog: TS 24.229 §5.4.2.1.1. `elsewhere`: what becomes of it when the user it asks about is not served here;
 * without it, 480.
 */
export async function subscribe(
  context: RequestContext,
  modules: ScscfModules,
  elsewhere?: () => void | Promise<void>,
): Promise<void> {
  const { clock, counters, gruus, nonce, notifier, registrations } = modules;
  const { request } = context;
  const refuse = (status: number, reason?: string): void => {
    counters.subscription("refused");
    context.respond(status, reason === undefined ? {} : { reason });
  };
  // 0. Whom it asks about; nobody without a contact (480).
  const impu = gruus.resolve(request.requestUri)?.impu ?? canonicalImpu(request.requestUri);
  const user = impu === undefined ? undefined : await servedUser(modules, impu, profileKey(request));
  if (user?.kind === "unavailable") return refuseForStore(context, user);
  const registration = user?.kind === "served" ? user.registration : undefined;
  // §5.4.8.6: not by a contact of an emergency registration, nor about one.
  if (request.values("Contact").some(isEmergencyContact)) {
    counters.subscription("refused");
    return context.respond(489, { edit: (response) => void response.append("Allow-Events", "reg") });
  }
  const bindings =
    registration === undefined ? [] : ordinaryBindings(liveBindings(registration, clock.now()));
  if (registration === undefined || bindings.length === 0)
    return elsewhere === undefined ? refuse(480) : elsewhere();

  // 1. Who asks (403).
  const subscriber = authorisedSubscriber(request, registration, bindings, modules);
  if (subscriber === undefined) return refuse(403);

  // 2. What it asks for, and for how long.
  const terms = termsOf(context, modules);
  if (terms === undefined) return;
  const dialog = dialogOf(request);
  if (dialog === undefined) return refuse(400, "Bad Request (dialog)");
  const now = clock.now();
  const begun: Subscription = {
    ...dialog,
    ...subscriber,
    localTag: nonce(),
    remoteCseq: request.cseqNumber,
    cseq: 1,
    version: 0,
    expiresAt: now + terms.expires * 1000,
    due: dueAgain(now),
    failures: 0,
  };
  if (terms.expires === 0) {
    // A look at the state (RFC 6665 §4.4.3): nothing is kept.
    accept(context, modules, registration.impu, begun, 0);
    return notifier.tellState(registration, begun, "timeout");
  }

  // 3. It is kept with the registration. The same request again, after the member that had begun it died, has had its effect.
  let kept = begun;
  let full = false;
  const stored = await registrations.update(registration.impu, (current) => {
    kept = begun;
    full = false;
    if (current === undefined || liveBindings(current, now).length === 0) return "keep";
    const { subscriptions } = current;
    const same = subscriptions.find(
      (one) => one.callId === begun.callId && one.remoteTag === begun.remoteTag,
    );
    if (same?.remoteCseq === begun.remoteCseq) {
      kept = numbered(same, dueAgain(now));
      return { ...current, subscriptions: subscriptions.map((one) => (one === same ? kept : one)) };
    }
    const others = withRoomFor(subscriptions, begun, now);
    full = others.length >= MAX_SUBSCRIPTIONS;
    return full ? "keep" : { ...current, subscriptions: [...others, begun] };
  });
  if (stored.kind === "unavailable") return refuseForStore(context, stored);
  if (full) return refuse(403, "Forbidden (too many subscriptions)");
  if (stored.kind !== "stored") return refuse(480);

  // 4. 200, then the state as it is.
  counters.subscription("begun");
  accept(context, modules, registration.impu, kept, secondsLeft(kept, now));
  notifier.tellState(stored.registration, kept);
}

/** SUBSCRIBE in the dialog of a subscription: it is refreshed, or ended (RFC 6665 §4.1.2.2, §4.1.2.3). */
export async function resubscribe(context: RequestContext, modules: ScscfModules): Promise<void> {
  const { clock, counters, notifier, registrations } = modules;
  const { request } = context;
  const key = keyInContact(request.target?.user ?? "");
  const found = key === "" ? undefined : await registrations.findWhole(key);
  if (found?.kind === "unavailable") return refuseForStore(context, found);
  const outOfDialog = (): void => {
    counters.subscription("refused");
    context.respond(481);
  };
  if (found?.kind !== "found" || !isRegEvent(request)) return outOfDialog();
  const terms = termsOf(context, modules);
  if (terms === undefined) return;
  const now = clock.now();
  const target = contactOf(request);
  const name = `${request.callId}\n${request.toTag}\n${request.fromTag}`;
  let refreshed: Subscription | undefined;
  let late = false;
  const stored = await registrations.update(found.registration.impu, (current) => {
    refreshed = undefined;
    late = false;
    const one = current?.subscriptions.find(
      (each) => subscriptionName(each) === name && each.expiresAt > now,
    );
    if (current === undefined || one === undefined) return "keep";
    late = request.cseqNumber < one.remoteCseq;
    if (late) return "keep";
    const next = {
      ...numbered(one, dueAgain(now)),
      ...(target === undefined ? {} : { target }),
      remoteCseq: request.cseqNumber,
      expiresAt: now + terms.expires * 1000,
    };
    refreshed = next;
    const subscriptions =
      terms.expires === 0
        ? current.subscriptions.filter((each) => each !== one)
        : current.subscriptions.map((each) => (each === one ? next : each));
    return { ...current, subscriptions };
  });
  if (stored.kind === "unavailable") return refuseForStore(context, stored);
  if (late) return context.respond(500, { reason: "Server Internal Error (CSeq)" });
  if (refreshed === undefined || stored.kind !== "stored") return outOfDialog();
  counters.subscription(terms.expires === 0 ? "ended" : "refreshed");
  accept(context, modules, key, refreshed, terms.expires);
  notifier.tellState(stored.registration, refreshed, terms.expires === 0 ? "timeout" : undefined);
}

/** Duration and kind of document; undefined when it has been refused: 406, 423. */
function termsOf(
  context: RequestContext,
  { options, counters }: ScscfModules,
): { readonly expires: number } | undefined {
  const { request } = context;
  const accepted = request.values("Accept").map((value) => value.split(";")[0]?.trim().toLowerCase() ?? "");
  if (
    request.has("Accept") &&
    !accepted.some((one) => [REG_INFO_TYPE, "application/*", "*/*"].includes(one))
  ) {
    counters.subscription("refused");
    context.respond(406, { edit: (response) => void response.append("Accept", REG_INFO_TYPE) });
    return undefined;
  }
  const asked = decimal(request.header("Expires") ?? "") ?? DEFAULT_EXPIRES;
  if (asked > 0 && asked < options.minSubscription) {
    counters.subscription("refused");
    const least = String(options.minSubscription);
    context.respond(423, { edit: (response) => void response.append("Min-Expires", least) });
    return undefined;
  }
  return { expires: Math.min(asked, options.maxSubscription) };
}

type Dialog = Pick<
  Subscription,
  "callId" | "remoteTag" | "local" | "remote" | "target" | "routes" | "eventId" | "icid"
>;

/** What the SUBSCRIBE says of its dialog (RFC 3261 §12.1.1); undefined when that cannot be used. */
function dialogOf(request: SipMessage): Dialog | undefined {
  const target = contactOf(request);
  const local = addressIn(request.header("To"));
  const remote = addressIn(request.header("From"));
  const routes = request.values("Record-Route");
  if (target === undefined || local === undefined || remote === undefined || request.fromTag === "")
    return undefined;
  const dialog = {
    callId: request.callId,
    remoteTag: request.fromTag,
    local,
    remote,
    target,
    routes,
    eventId: /;\s*id\s*=\s*([^;\s]+)/i.exec(request.header("Event") ?? "")?.[1] ?? "",
    icid: /icid-value=("[^"]*"|[^;\s]+)/i.exec(request.header("P-Charging-Vector") ?? "")?.[1] ?? "",
  };
  return JSON.stringify(dialog).length > MAX_DIALOG_LENGTH ? undefined : dialog;
}

function contactOf(request: SipMessage): string | undefined {
  const [only, more] = request.values("Contact");
  const address = only === undefined || more !== undefined ? undefined : parseNameAddr(only);
  return address?.uri.scheme === "sip" || address?.uri.scheme === "sips" ? address.uriText : undefined;
}

/** "<uri>" of From or To. */
function addressIn(value: string | undefined): string | undefined {
  const located = value === undefined ? undefined : locateUri(value);
  return value === undefined || located === undefined
    ? undefined
    : `<${value.slice(located.start, located.end)}>`;
}

/** Those that have not lapsed, without the ones that a subscriber has too many of. */
function withRoomFor(
  subscriptions: readonly Subscription[],
  { subscriber, kind }: Subscription,
  now: number,
): readonly Subscription[] {
  const live = subscriptions.filter((one) => one.expiresAt > now);
  const own = live.filter((one) => one.subscriber === subscriber);
  const surplus = new Set(own.slice(0, Math.max(0, own.length + 1 - MAX_OF_ONE[kind])));
  return surplus.size === 0 ? live : live.filter((one) => !surplus.has(one));
}

/** 200 (OK): the dialog is ours from here on (RFC 6665 §4.2.1.1). */
function accept(
  context: RequestContext,
  { options }: ScscfModules,
  key: string,
  { localTag }: Subscription,
  expires: number,
): void {
  const { request } = context;
  context.respond(200, {
    edit: (response) => {
      if (request.toTag === "") response.set("To", `${request.header("To")};tag=${localTag}`);
      response
        .append("Contact", notifierContact(options.routedUri ?? options.scscfUri, key))
        .append("Expires", String(expires));
      addTermIoi(response, request, options.homeDomain);
    },
  });
}

function secondsLeft({ expiresAt }: Subscription, now: number): number {
  return Math.max(0, Math.round((expiresAt - now) / 1000));
}
