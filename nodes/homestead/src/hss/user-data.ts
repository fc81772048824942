import { buildUserProfile, type ExtendedPriority, IdentityType } from "@ims/ims";
import { noServices, type Subscriber } from "./subscriber.ts";

/** User-Data of a subscriber (TS 29.228 annex E); kept with it when there is more in it than identities. */
export function userDataOf(subscriber: Subscriber): string {
  if (subscriber.profile.xml !== undefined) return subscriber.profile.xml;
  const extendedPriorities = (subscriber.services.resourcePriorities ?? []).map(extendedPriority);
  const xml = buildUserProfile({
    privateId: subscriber.impi,
    serviceProfiles: [
      {
        publicIdentities: subscriber.identities.map(({ impu, barred, wildcard }) => ({
          identity: impu,
          barred,
          ...(extendedPriorities.length === 0 ? {} : { extendedPriorities }),
          ...(wildcard === undefined
            ? {}
            : { identityType: IdentityType.WILDCARDED_IMPU, wildcardedImpu: wildcard.text }),
        })),
        initialFilterCriteria: subscriber.services.initialFilterCriteria,
        sharedIfcSetIds: subscriber.services.sharedIfcSetIds,
        serviceIds: [],
      },
    ],
  });
  // Without filter criteria it is built in 2 us, and would be the largest thing kept.
  if (subscriber.services !== noServices) subscriber.profile.xml = xml;
  return xml;
}

function extendedPriority(text: string): ExtendedPriority {
  const dot = text.lastIndexOf(".");
  return { namespace: text.slice(0, dot), level: text.slice(dot + 1) };
}
