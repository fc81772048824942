import { buildUserProfile, type ExtendedPriority, IdentityType, type ServiceProfile } from "@ims/ims";
import { noServices, type ServiceData, type Subscriber, type SubscriberIdentity } from "./subscriber.ts";
import type { SubscriptionPart } from "./subscription.ts";

/** User-Data of a subscriber (TS 29.228 annex E); kept with it when there is more in it than identities. */
export function userDataOf(subscriber: Subscriber): string {
  const { impi, part, profile, services, identities } = subscriber;
  if (part !== undefined) return userDataOfPart(impi, part);
  if (profile.xml !== undefined) return profile.xml;
  const xml = buildUserProfile({
    privateId: impi,
    serviceProfiles: [serviceProfileOf(identities, services)],
  });
  // Without filter criteria it is built in 2 us, and would be the largest thing kept.
  if (services !== noServices) profile.xml = xml;
  return xml;
}

function userDataOfPart(impi: string, { subscription, set }: SubscriptionPart): string {
  const key = `${impi}\n${set?.id ?? ""}`;
  const known = subscription.profiles.get(key);
  if (known !== undefined) return known;
  // A profile without identities serves nobody, and the schema demands one.
  const profiles = (set?.profiles ?? []).filter(({ identities }) => identities.length > 0);
  const serviceProfiles = profiles.map(({ identities, services }) => serviceProfileOf(identities, services));
  const xml = buildUserProfile({ privateId: impi, serviceProfiles });
  subscription.profiles.set(key, xml);
  return xml;
}

function serviceProfileOf(identities: readonly SubscriberIdentity[], services: ServiceData): ServiceProfile {
  const extendedPriorities = (services.resourcePriorities ?? []).map(extendedPriority);
  return {
    publicIdentities: identities.map(({ impu, barred, wildcard }) => ({
      identity: impu,
      barred,
      ...(extendedPriorities.length === 0 ? {} : { extendedPriorities }),
      ...(wildcard === undefined
        ? {}
        : { identityType: IdentityType.WILDCARDED_IMPU, wildcardedImpu: wildcard.text }),
    })),
    initialFilterCriteria: services.initialFilterCriteria,
    sharedIfcSetIds: services.sharedIfcSetIds,
    serviceIds: [],
  };
}

function extendedPriority(text: string): ExtendedPriority {
  const dot = text.lastIndexOf(".");
  return { namespace: text.slice(0, dot), level: text.slice(dot + 1) };
}
