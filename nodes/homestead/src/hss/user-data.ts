import { buildUserProfile, IdentityType } from "@ims/ims";
import type { Subscriber } from "./subscriber.ts";

/** User-Data of a subscriber (TS 29.228 annex E), built once and kept with it. */
export function userDataOf(subscriber: Subscriber): string {
  subscriber.profileXml ??= buildUserProfile({
    privateId: subscriber.impi,
    serviceProfiles: [
      {
        publicIdentities: subscriber.identities.map(({ impu, barred, wildcard }) => ({
          identity: impu,
          barred,
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
  return subscriber.profileXml;
}
