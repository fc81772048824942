import { randomUUID } from "node:crypto";
import { matchesWildcard } from "@ims/ims";
import type { StateChange } from "./hss.ts";
import type { Named } from "./record-names.ts";
import { identityOf, type Subscriber } from "./subscriber.ts";
import type { SubscriberRecord, SubscriptionRecord } from "./subscriber-repository.ts";
import { Subscription } from "./subscription.ts";
import {
  pruned,
  type SubscriptionState,
  stateOfOne,
  withRegistration,
  withSqn,
} from "./subscription-state.ts";

/** What one row holds. */
export type Stored = Subscriber | Subscription;

/** The name of the row that a subscriber was given out of. */
export function keyOf({ impi, part }: Subscriber): string {
  return part?.subscription.key ?? impi;
}

/** What it takes its names from. */
export function namedOf(stored: Stored): Named {
  if (!(stored instanceof Subscription)) return stored;
  const { key, sets } = stored;
  const identities = sets.flatMap(({ profiles }) => profiles.flatMap((profile) => profile.identities));
  return { impi: key, identities, parts: stored };
}

/** As a private identity of it; undefined when it is none of it. */
export function asPrivate(stored: Stored | undefined, impi: string): Subscriber | undefined {
  if (stored instanceof Subscription) return stored.ofPrivate(impi);
  return stored?.impi === impi ? stored : undefined;
}

/** As who has a public identity, or a wildcard that covers it. */
export function asPublic(stored: Stored | undefined, canonical: string): Subscriber | undefined {
  if (stored instanceof Subscription) return stored.ofPublic(canonical, matchesWildcard);
  return stored !== undefined && identityOf(stored, canonical, matchesWildcard) !== undefined
    ? stored
    : undefined;
}

/** The first of its private identities. */
export function firstOf(stored: Stored): Subscriber | undefined {
  if (!(stored instanceof Subscription)) return stored;
  const [first] = stored.privateIdentities;
  return first && stored.ofPrivate(first.impi);
}

/** A subscriber with each set that it may register. */
export function eachSetOf(subscriber: Subscriber): readonly Subscriber[] {
  return subscriber.part?.subscription.eachOf(subscriber.impi) ?? [subscriber];
}

/** Each set of its subscription, on behalf of all that may register it. */
export function allSetsOf(subscriber: Subscriber): readonly Subscriber[] {
  const subscription = subscriber.part?.subscription;
  return subscription?.sets.flatMap(({ id }) => subscription.ofSet(id) ?? []) ?? [subscriber];
}

/** All private identities of its subscription. */
export function privateIdentitiesWith({ impi, part }: Subscriber): readonly string[] {
  return part?.subscription.privateIdentities.map((one) => one.impi) ?? [impi];
}

/** The id of the only set of a subscriber that was given none: made of its name, which can be read from it again. */
export function impliedSetId(impi: string): string {
  return `of-${Buffer.from(impi).toString("base64url")}`;
}

/** Undefined when it is no such id. */
export function impiOfSetId(id: string): string | undefined {
  if (!id.startsWith("of-")) return undefined;
  const impi = Buffer.from(id.slice(3), "base64url").toString();
  return impliedSetId(impi) === id ? impi : undefined;
}

/** What a subscriber is a part of, in its parts, whether it has several or not. */
export function partsOf(subscriber: Subscriber): SubscriptionRecord {
  const { impi, credentials, identities, services, part } = subscriber;
  if (part !== undefined) return part.subscription;
  const id = impliedSetId(impi);
  return {
    privateIdentities: [{ impi, credentials, sets: [id] }],
    sets: [{ id, profiles: [{ id, identities, services }] }],
  };
}

/** The record of a subscription in its parts. */
export function recordOfParts(key: string, parts: SubscriptionRecord): SubscriberRecord {
  return {
    impi: key,
    identities: parts.sets.flatMap(({ profiles }) => profiles.flatMap(({ identities }) => identities)),
    credentials: { digest: undefined, aka: undefined },
    services: { initialFilterCriteria: [], sharedIfcSetIds: [], capabilities: NO_CAPABILITIES },
    sqn: undefined,
    parts,
  };
}

/** The same, as one without several parts where it was one and is one still. */
export function recordFrom(before: Subscriber, parts: SubscriptionRecord): SubscriberRecord {
  const { impi, sqn: _, part } = before;
  const id = impliedSetId(impi);
  const [one, ...others] = parts.privateIdentities;
  const [set, ...otherSets] = parts.sets;
  const [profile, ...otherProfiles] = set?.profiles ?? [];
  const single = others.length + otherSets.length + otherProfiles.length === 0;
  const same = one?.impi === impi && one.sets.includes(id) && set?.id === id && profile?.id === id;
  if (part !== undefined || !single || !same || profile.identities.length === 0)
    return recordOfParts(keyOf(before), parts);
  const { identities, services } = profile;
  return { impi, identities, credentials: one.credentials, services, sqn: one.sqn };
}

const NO_CAPABILITIES = { mandatory: [], optional: [], serverNames: [] };

/** The same under another name of its row, because that one is in use. */
export function renamed({ impi, ...record }: SubscriberRecord, key: string): SubscriberRecord {
  const { credentials, identities, services, sqn, parts } = record;
  if (parts !== undefined) return recordOfParts(key, parts);
  // The id that is implied by its name may be that of a set it has left.
  const id = randomUUID();
  return recordOfParts(key, {
    privateIdentities: [{ impi, credentials, sets: [id], sqn }],
    sets: [{ id, profiles: [{ id, identities, services }] }],
  });
}

/** The state of a row that is written anew with several parts. */
export function stateAfterReplace(before: Stored, parts: SubscriptionRecord): SubscriptionState {
  const state =
    before instanceof Subscription
      ? before.state
      : stateOfOne(before.impi, impliedSetId(before.impi), before.sqn, before.registration);
  return pruned(state, parts);
}

/** The state of a subscription after a change of what was given out of it. */
export function stateAfter(
  { impi, part }: Subscriber,
  { registration, sqn }: StateChange,
): SubscriptionState | undefined {
  if (part === undefined) return undefined;
  const { subscription, scope, onBehalfOf } = part;
  let { state } = subscription;
  if (registration !== undefined)
    for (const id of scope) state = withRegistration(state, id, onBehalfOf, registration);
  return sqn === undefined ? state : withSqn(state, impi, sqn);
}
