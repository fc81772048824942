import { type ContactEvent, REG_INFO_TYPE } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import { decimal, type RequestOriginator, SipMessage } from "@ims/sip";
import type { Gruus } from "../routing/gruu.ts";
import { ordinaryBindings, type Registration } from "../store/registration.ts";
import type { RegistrationStore } from "../store/registration-store.ts";
import { type Subscription, subscriptionName } from "../store/subscription.ts";
import { registrationDocument } from "./registration-document.ts";
import { importance, type RegistrationChange, registrationChange } from "./registration-events.ts";

/**
 * A NOTIFY that is not known to have arrived by then is sent again, by whoever looks after the set: longer than Timer F, and in a
 * minute of the calendar that nobody has read yet.
 */
const AGAIN_MS = 60_000;
/** NOTIFYs in a row that a subscriber may be out of reach for. */
const MAX_FAILURES = 2;

/** Why a subscription ends: RFC 6665 §4.1.3. */
export type TerminationReason = "deactivated" | "timeout" | "noresource";

export interface NotifierModules {
  readonly registrations: RegistrationStore;
  readonly clock: Clock;
  readonly gruus: Gruus;
  readonly originate: RequestOriginator["originate"];
  readonly scscfUri: string;
  readonly homeDomain: string;
  /** Side that requests leave on. */
  readonly side: string;
  readonly counters: NotifierCounters;
}

/** "lost": not answered or not delivered; "refused": answered with a failure; "again": sent because another member, or this one, did not see it through. */
export interface NotifierCounters {
  notify(outcome: "sent" | "again" | "arrived" | "lost" | "refused"): void;
}

/** Notifier of the registration event package: TS 24.229 §5.4.2.1.2, RFC 3680, RFC 6665 §4.2.2. */
export class Notifier {
  readonly #modules: NotifierModules;

  constructor(modules: NotifierModules) {
    this.#modules = modules;
  }

  /** What a change comes to in a set with subscriptions: new numbers for those that are to hear of it; "remove" waits until they have. */
  prepare(current: Registration, wanted: Registration | "remove", gone: ContactEvent): Registration {
    const now = this.#modules.clock.now();
    if (wanted === "remove") {
      const subscriptions = current.subscriptions.map((one) => numbered(one, now + AGAIN_MS));
      return { ...current, state: "terminated", ended: gone, heldUntil: 0, subscriptions };
    }
    const weight = importance(registrationChange(current, wanted, gone, now));
    if (weight === "nothing") return { ...wanted, subscriptions: current.subscriptions };
    // A refresh that is missed is told by the next one; everything else must arrive.
    const due = (one: Subscription): number => (weight === "changed" ? now + AGAIN_MS : one.due);
    return { ...wanted, subscriptions: current.subscriptions.map((one) => numbered(one, due(one))) };
  }

  /** After the change has been written: the NOTIFYs. */
  tell(after: Registration, before: Registration, gone: ContactEvent): void {
    const now = this.#modules.clock.now();
    const change = registrationChange(before, after, gone, now);
    const known = new Map(before.subscriptions.map((one) => [subscriptionName(one), one.version]));
    for (const one of after.subscriptions)
      if (one.expiresAt > now && known.get(subscriptionName(one)) !== one.version)
        this.#send(after, change, one, after.state === "terminated" ? "noresource" : undefined);
  }

  /** The state as it is, to one subscriber: after SUBSCRIBE, or because the last one may not have arrived. */
  tellState(registration: Registration, subscription: Subscription, ending?: TerminationReason): void {
    const { clock } = this.#modules;
    const now = clock.now();
    const { state, ended = "expired" } = registration;
    const bindings = ordinaryBindings(registration.bindings);
    const live = bindings.filter(({ expiresAt }) => expiresAt > now);
    const contacts =
      state === "terminated"
        ? bindings.map((binding) => ({ binding, state: "terminated" as const, event: ended }))
        : live.map((binding) => ({ binding, state: "active" as const, event: undefined }));
    const change = { contacts, added: new Set<string>(), removed: [] };
    this.#send(registration, change, subscription, ending);
  }

  /** The set has gone to another S-CSCF: subscribers are to ask there (TS 29.228 §6.1.3). */
  tellMoved(registration: Registration): void {
    for (const one of registration.subscriptions) {
      const notify = this.#notify(registration, numbered(one, 0), "deactivated");
      this.#originate(notify, () => undefined);
    }
  }

  /**
   * Subscriptions that have lapsed end, and NOTIFYs that are not known to have arrived are sent again. Returns what is left of the set.
   */
  async lookAfter(key: string): Promise<Registration | undefined | "unavailable"> {
    const { registrations, clock, counters } = this.#modules;
    const now = clock.now();
    let lapsed: readonly Subscription[] = [];
    let again: readonly Subscription[] = [];
    const stored = await registrations.updateWhole(key, (current) => {
      lapsed = [];
      again = [];
      if (current === undefined || current.subscriptions.every((one) => !isDue(one, now))) return "keep";
      const left: Subscription[] = [];
      const unheard: Subscription[] = [];
      const ended: Subscription[] = [];
      for (const one of current.subscriptions) {
        if (one.expiresAt <= now) ended.push(numbered(one, 0));
        else if (one.due === 0 || one.due > now) left.push(one);
        else if (one.failures < MAX_FAILURES)
          unheard.push({ ...numbered(one, now + AGAIN_MS), failures: one.failures + 1 });
      }
      lapsed = ended;
      again = unheard;
      return withSubscriptions(current, [...left, ...unheard]);
    });
    if (stored.kind === "unavailable") return "unavailable";
    const registration = stored.kind === "removed" ? undefined : stored.registration;
    if (registration !== undefined) {
      const terminated = registration.state === "terminated";
      for (const one of lapsed) this.tellState(registration, one, "timeout");
      for (const one of again) {
        counters.notify("again");
        this.tellState(registration, one, terminated ? "noresource" : undefined);
      }
    }
    return registration;
  }

  #send(
    registration: Registration,
    change: RegistrationChange,
    subscription: Subscription,
    ending: TerminationReason | undefined,
  ): void {
    const { clock, gruus, counters } = this.#modules;
    const now = clock.now();
    const notify = this.#notify(registration, subscription, ending);
    notify.setBody(registrationDocument(registration, change, subscription, { gruus, now }), REG_INFO_TYPE);
    counters.notify("sent");
    this.#originate(notify, (response, local) => {
      const arrived = response.status < 300;
      counters.notify(arrived ? "arrived" : isUnreachable(response, local) ? "lost" : "refused");
      // Of one that need not arrive, or whose subscription has ended, nothing is kept.
      if (arrived && subscription.due === 0) return;
      this.#answered(registration.impu, subscription, response, local).catch(() => undefined);
    });
  }

  #originate(notify: SipMessage, onFinal: (response: SipMessage, local: boolean) => void): void {
    const { originate, side } = this.#modules;
    originate(notify, { kind: "uri", side }, { onFinal });
  }

  #notify(
    { impu }: Registration,
    subscription: Subscription,
    ending: TerminationReason | undefined,
  ): SipMessage {
    const { scscfUri, homeDomain, clock } = this.#modules;
    const { local, remote, localTag, remoteTag, callId, cseq, routes, eventId, icid } = subscription;
    const notify = SipMessage.request("NOTIFY", subscription.target)
      .append("From", `${local};tag=${localTag}`)
      .append("To", `${remote};tag=${remoteTag}`)
      .append("Call-ID", callId)
      .append("CSeq", `${cseq} NOTIFY`)
      .append("Contact", notifierContact(scscfUri, impu))
      .append("Event", eventId === "" ? "reg" : `reg;id=${eventId}`);
    for (const route of routes) notify.append("Route", route);
    const left = Math.max(0, Math.round((subscription.expiresAt - clock.now()) / 1000));
    notify.append(
      "Subscription-State",
      ending === undefined ? `active;expires=${left}` : `terminated;reason=${ending}`,
    );
    if (icid !== "") notify.append("P-Charging-Vector", `icid-value=${icid};orig-ioi="${homeDomain}"`);
    return notify;
  }

  /** RFC 6665 §4.2.2: what arrived is done with; who refuses, or stays out of reach, is subscribed no more. */
  async #answered(
    key: string,
    { version, ...told }: Subscription,
    response: SipMessage,
    local: boolean,
  ): Promise<void> {
    const { registrations, clock } = this.#modules;
    const name = subscriptionName({ version, ...told });
    const arrived = response.status < 300;
    const wait = isUnreachable(response, local) ? retryAfterMs(response) : undefined;
    await registrations.updateWhole(key, (current) => {
      const one = current?.subscriptions.find((each) => subscriptionName(each) === name);
      if (current === undefined || one === undefined) return "keep";
      // A later one is on its way, whose answer counts: this one may have been overtaken (500, RFC 3261 §12.2.2). A dialog that is gone is gone.
      if (one.version !== version && response.status !== 481) return "keep";
      if (arrived && current.state !== "terminated" && one.due === 0) return "keep";
      const rest = current.subscriptions.filter((each) => each !== one);
      const stays = arrived
        ? current.state !== "terminated"
        : wait !== undefined && one.failures < MAX_FAILURES;
      if (!stays) return withSubscriptions(current, rest);
      const next = arrived ? { ...one, due: 0, failures: 0 } : { ...one, due: clock.now() + (wait ?? 0) };
      return withSubscriptions(current, [...rest, next]);
    });
  }
}

/** A terminated set ends with the last of its subscriptions. */
function withSubscriptions(
  current: Registration,
  subscriptions: readonly Subscription[],
): Registration | "remove" {
  if (current.state === "terminated" && subscriptions.length === 0) return "remove";
  return { ...current, subscriptions };
}

/** Contact of a notifier: it names the set, so that any member finds the subscription by a request of its dialog. */
export function notifierContact(scscfUri: string, key: string): string {
  return `<${scscfUri.replace(/^sips?:/i, (scheme) => `${scheme}${Buffer.from(key).toString("base64url")}@`)}>`;
}

/** The key of the set that such a URI names; "" for none. */
export function keyInContact(user: string): string {
  return Buffer.from(user, "base64url").toString();
}

/** The next NOTIFY and the next document of a subscription. */
export function numbered(one: Subscription, due: number): Subscription {
  return { ...one, cseq: one.cseq + 1, version: one.version + 1, due };
}

/** When a NOTIFY that has just been numbered is sent again, ms since the epoch. */
export function dueAgain(now: number): number {
  return now + AGAIN_MS;
}

function isDue({ expiresAt, due }: Subscription, now: number): boolean {
  return expiresAt <= now || (due !== 0 && due <= now);
}

/** Nobody has answered for the subscriber: it may be about to register over another flow (RFC 5626 §4.5). */
function isUnreachable({ status }: SipMessage, local: boolean): boolean {
  return status === 430 || status === 503 || (local && status === 408);
}

function retryAfterMs(response: SipMessage): number {
  const seconds = decimal(response.header("Retry-After") ?? "") ?? 30;
  return Math.min(Math.max(seconds, 1), 300) * 1000;
}
