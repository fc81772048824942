import type { KeyObject } from "node:crypto";
import type { InitialFilterCriteria, ServerCapabilities, WildcardedImpu } from "@ims/ims";
import type { SubscriptionPart } from "./subscription.ts";

/** A public identity of a subscriber, or a wildcard of them. */
export type SubscriberIdentity = {
  /** As provisioned. */
  readonly impu: string;
  /** Key for comparison. */
  readonly canonical: string;
  readonly barred: boolean;
  readonly wildcard: WildcardedImpu | undefined;
};

/** H(user:realm:password) of RFC 7616 §3.4.2; the password itself is not kept. */
export type DigestCredentials = {
  readonly realm: string;
  readonly ha1Md5: string;
  /** Absent where only the MD5 hash was provisioned. */
  readonly ha1Sha256?: string | undefined;
};

/** USIM secrets: TS 35.206. */
export type AkaCredentials = { readonly k: KeyObject; readonly opc: Uint8Array; readonly amf: Uint8Array };

export type Credentials = {
  readonly digest: DigestCredentials | undefined;
  readonly aka: AkaCredentials | undefined;
};

/** Registration states of a public identity: TS 29.228 §3.1, TS 23.228 §5.2. */
export type RegistrationState = "notRegistered" | "registered" | "unregistered";

/** What the HSS keeps per implicit registration set: TS 29.228 §6.1, TS 23.008 §3.5. */
export type Registration = {
  readonly state: RegistrationState;
  /** Set while the S-CSCF that asked for vectors has not reported the outcome (TS 29.228 §6.3.1). */
  readonly authenticationPending: boolean;
  /** SIP URI of the assigned S-CSCF. */
  readonly serverName: string | undefined;
  /** Diameter identity of that S-CSCF, for RTR and PPR. */
  readonly originHost: string | undefined;
  readonly originRealm: string | undefined;
};

export type ServiceData = {
  readonly initialFilterCriteria: readonly InitialFilterCriteria[];
  readonly sharedIfcSetIds: readonly number[];
  readonly capabilities: ServerCapabilities;
  /** "namespace.priority" of RFC 4412, the highest of each; absent in records of earlier releases. */
  readonly resourcePriorities?: readonly string[] | undefined;
};

/** One private identity with an implicit registration set that it may register. */
export type Subscriber = {
  readonly impi: string;
  readonly identities: readonly SubscriberIdentity[];
  readonly credentials: Credentials;
  readonly services: ServiceData;
  /** Highest SQN used, 48 bits: TS 33.102 §C.1.1. Changed through Hss.save only, like the registration. */
  sqn: number;
  registration: Registration;
  readonly profile: ProfileText;
  /** Of a subscription with several private identities, sets or profiles; absent: this is all of it. */
  readonly part?: SubscriptionPart | undefined;
};

/** User-Data, built when it is first asked for. */
export type ProfileText = { xml: string | undefined };

/** Whether there is nothing to write. */
export function isSameRegistration(one: Registration, other: Registration): boolean {
  return (
    one.state === other.state &&
    one.authenticationPending === other.authenticationPending &&
    one.serverName === other.serverName &&
    one.originHost === other.originHost &&
    one.originRealm === other.originRealm
  );
}

/** Nobody serves the user. */
export const notRegistered: Registration = Object.freeze({
  state: "notRegistered",
  authenticationPending: false,
  serverName: undefined,
  originHost: undefined,
  originRealm: undefined,
});

export const noServices: ServiceData = {
  initialFilterCriteria: [],
  sharedIfcSetIds: [],
  capabilities: { mandatory: [], optional: [], serverNames: [] },
};

/** The member of the set that covers a canonical identity; an exact one before a wildcard (TS 23.003 §13.4B). */
export function identityOf(
  subscriber: Subscriber,
  canonical: string,
  matches: (wildcard: WildcardedImpu, canonical: string) => boolean,
): SubscriberIdentity | undefined {
  let covering: SubscriberIdentity | undefined;
  for (const each of subscriber.identities) {
    if (each.canonical === canonical) return each;
    if (covering === undefined && each.wildcard !== undefined && matches(each.wildcard, canonical))
      covering = each;
  }
  return covering;
}

/** TS 29.228 §6.1.1.1: a set may be registered when one of its identities is not barred. */
export function isWhollyBarred(subscriber: Subscriber): boolean {
  return subscriber.identities.every(({ barred }) => barred);
}

/** Services of one of its identities. */
export function servicesFor({ services, part }: Subscriber, identity: SubscriberIdentity): ServiceData {
  const profile = part?.set?.profiles.find(({ identities }) => identities.includes(identity));
  return profile?.services ?? services;
}

/** Whether a service is to be given while nobody is registered (TS 29.228 §6.1.4.1). */
export function hasUnregisteredServices(subscriber: Subscriber, identity: SubscriberIdentity): boolean {
  const { initialFilterCriteria } = servicesFor(subscriber, identity);
  return initialFilterCriteria.some(({ profilePart }) => profilePart !== "registered");
}
