import type { ContactEvent, ImplicitRegistrationSet } from "@ims/ims";
import type { ChargingAddresses } from "../cx/cx.ts";
import { nextDue, type Subscription } from "./subscription.ts";

/** A binding of RFC 3261 §10.3, with what RFC 3327, RFC 5626 and RFC 5627 add. */
export interface Binding {
  /** Contact URI as registered. */
  readonly contact: string;
  /** Instance and reg-id (RFC 5626 §6), else the contact URI: equal keys are one binding. */
  readonly key: string;
  readonly impi: string;
  readonly callId: string;
  readonly cseq: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** When the binding last was (re-)registered, ms since the epoch. */
  readonly refreshedAt: number;
  /** Thousandths: 1000 is q=1. */
  readonly q: number;
  /** Path values, the one to visit first on top. */
  readonly path: readonly string[];
  /** Instance ID without < >; "" when absent. */
  readonly instance: string;
  /** 0 when the binding is not an RFC 5626 flow. */
  readonly regId: number;
  /** Other header parameters of the Contact as sent, ";" first; "" when there are none. */
  readonly parameters: string;
  /** RFC 5627 §5.1: the UE supports GRUUs. */
  readonly gruu: boolean;
  /** RFC 5627 §5.1: temporary GRUUs made from here on are valid; moves when the Call-ID changes. */
  readonly gruuSince: number;
  /** CSeq of the REGISTER that made the first of them. */
  readonly gruuCseq: number;
  /** Canonical identity that the UE has registered; the others of the set are registered with it. */
  readonly registered: string;
}

/** What the S-CSCF knows of one implicit registration set. */
export interface Registration {
  /** Default public user identity, the key of the set. */
  readonly impu: string;
  /**
   * "unregistered": assigned for services of an unregistered user (TS 29.228 §6.1.2). "terminated": nothing but subscribers who have not
   * been told of the end yet; its bindings are the last ones there were.
   */
  readonly state: "registered" | "unregistered" | "terminated";
  readonly bindings: readonly Binding[];
  readonly charging: ChargingAddresses | undefined;
  /** User-Data as the HSS sent it. */
  readonly profileXml: string;
  readonly profile: ImplicitRegistrationSet;
  /** ms since the epoch: other identities of the set lead here until then. */
  readonly aliasesUntil: number;
  /** When an unregistered assignment lapses, ms since the epoch; 0 while registered. */
  readonly heldUntil: number;
  /** Who is told of changes (TS 24.229 §5.4.2.1). */
  readonly subscriptions: readonly Subscription[];
  /** Why a terminated one has ended. */
  readonly ended?: ContactEvent;
  /** Of a core over two sites: where the last change was made. What has lapsed is ended there. */
  readonly site?: string;
}

/** What the key of an emergency registration begins with; no other key does. */
export const EMERGENCY_KEY = ";sos|";

/** Made by an emergency registration: TS 24.229 §5.4.8. */
export function isEmergency({ key }: Pick<Binding, "key">): boolean {
  return key.charCodeAt(0) === 0x3b && key.startsWith(EMERGENCY_KEY);
}

/** Those that are not of an emergency registration; the same list when all are. */
export function ordinaryBindings(bindings: readonly Binding[]): readonly Binding[] {
  return bindings.some(isEmergency) ? bindings.filter((one) => !isEmergency(one)) : bindings;
}

/** Is its user reached by emergency registrations only? Then it is registered for nothing else. */
export function isEmergencyOnly({ bindings }: Pick<Registration, "bindings">): boolean {
  return bindings.length > 0 && bindings.every(isEmergency);
}

/** Bindings alive at that time. */
export function liveBindings(registration: Registration, now: number): readonly Binding[] {
  for (const binding of registration.bindings)
    if (binding.expiresAt <= now) return registration.bindings.filter((one) => one.expiresAt > now);
  return registration.bindings;
}

/** When something is to be done about the registration next, ms since the epoch; undefined when nothing is left. */
export function nextExpiry(registration: Registration): number | undefined {
  const lapse = nextLapse(registration);
  if (registration.subscriptions.length === 0) return lapse;
  const due = nextDue(registration.subscriptions);
  return lapse === undefined || due === undefined ? (lapse ?? due) : Math.min(lapse, due);
}

/** When a contact of the registration lapses next, or the registration itself. */
export function nextLapse(registration: Registration): number | undefined {
  if (registration.state === "terminated") return undefined;
  if (registration.state === "unregistered") return registration.heldUntil;
  let next: number | undefined;
  for (const { expiresAt } of registration.bindings)
    if (next === undefined || expiresAt < next) next = expiresAt;
  return next;
}
