import type { Registrations } from "@ims/api";
import { canonicalImpu, isImpi, isWildcarded, parseWildcardedImpu } from "@ims/ims";
import type { Clock, Resource, ResourceAnswer } from "@ims/runtime";
import { type Binding, isEmergency, type Registration } from "../store/registration.ts";
import type { RegistrationStore } from "../store/registration-store.ts";
import type { Subscription } from "../store/subscription.ts";

/** More sets than one private identity is registered with. */
const MAX_SETS = 64;

export interface RegistrationsModules {
  readonly registrations: Pick<RegistrationStore, "findWhole" | "setsOf">;
  readonly clock: Pick<Clock, "now">;
  /** SIP URI of the S-CSCF. */
  readonly serverName: string;
}

/** What the S-CSCF keeps of one user, for an operator: bindings and subscriptions, by a public or a private identity. */
export function registrationsResource({ registrations, clock, serverName }: RegistrationsModules): Resource {
  return async (identity): Promise<ResourceAnswer> => {
    const keys = await keysOf(identity, registrations);
    if (keys === undefined)
      return {
        kind: "wrong",
        detail: "name a public identity (sip:user@domain, tel:+number) or a private one (user@domain)",
      };
    const found = new Map<string, Registration>();
    for (const key of keys.slice(0, MAX_SETS)) {
      const result = await registrations.findWhole(key);
      if (result.kind === "unavailable")
        return { kind: "unavailable", detail: "the registration store does not answer; try again" };
      if (result.kind === "found") found.set(result.registration.impu, result.registration);
    }
    const now = clock.now();
    const document: Registrations = {
      identity,
      serverName,
      registrations: [...found.values()].map((one) => documentOf(one, now)),
    };
    return { kind: "found", document };
  };
}

/** Undefined when it is no identity. */
async function keysOf(
  identity: string,
  registrations: RegistrationsModules["registrations"],
): Promise<readonly string[] | undefined> {
  if (/^(?:sips?|tel):/i.test(identity)) {
    if (isWildcarded(identity)) {
      const wildcard = parseWildcardedImpu(identity);
      return wildcard && [wildcard.text];
    }
    const canonical = canonicalImpu(identity);
    return canonical === undefined ? undefined : [canonical];
  }
  return isImpi(identity) ? registrations.setsOf(identity) : undefined;
}

const STATES = {
  registered: "registered",
  unregistered: "unregistered-services",
  terminated: "terminated",
} as const satisfies Record<Registration["state"], string>;

const KINDS = {
  user: "user",
  applicationServer: "application-server",
  edge: "p-cscf",
} as const satisfies Record<Subscription["kind"], string>;

type Document = Registrations["registrations"][number];

function documentOf(registration: Registration, now: number): Document {
  const { impu, state, heldUntil, profile, bindings, subscriptions } = registration;
  return {
    publicIdentity: impu,
    publicIdentities: profile.members.map(({ identity, canonical }) => ({
      impu: canonical,
      barred: identity.barred,
    })),
    state: STATES[state],
    ...(heldUntil === 0 ? {} : { heldUntil: isoTime(heldUntil) }),
    bindings: bindings.map((one) => bindingDocument(one, now)),
    subscriptions: subscriptions.map((one) => subscriptionDocument(one, now)),
  };
}

function bindingDocument(binding: Binding, now: number): Document["bindings"][number] {
  const { contact, impi, registered, instance, regId, path, q, parameters, callId, cseq } = binding;
  return {
    contact,
    privateIdentity: impi,
    publicIdentity: registered,
    ...(instance === "" ? {} : { instance }),
    ...(regId === 0 ? {} : { regId }),
    path: [...path],
    q: q / 1000,
    ...(parameters === "" ? {} : { parameters }),
    registeredAt: isoTime(binding.refreshedAt),
    expiresAt: isoTime(binding.expiresAt),
    expiresIn: secondsTo(binding.expiresAt, now),
    callId,
    cseq,
    emergency: isEmergency(binding),
  };
}

function subscriptionDocument(one: Subscription, now: number): Document["subscriptions"][number] {
  return {
    subscriber: one.subscriber,
    kind: KINDS[one.kind],
    target: one.target,
    callId: one.callId,
    expiresAt: isoTime(one.expiresAt),
    expiresIn: secondsTo(one.expiresAt, now),
    unanswered: one.failures,
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function secondsTo(at: number, now: number): number {
  return Math.max(0, Math.round((at - now) / 1000));
}
