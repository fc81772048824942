import { buildInitialFilterCriteria } from "./build-ifc.ts";
import { leaf, wrap } from "./element.ts";
import type { PublicIdentity, ServiceProfile, UserProfile } from "./user-profile.ts";

/** The User-Data document of a profile, in the order the schema of TS 29.228 annex E demands. */
export function buildUserProfile(profile: UserProfile): string {
  return `<?xml version="1.0" encoding="UTF-8"?><IMSSubscription>${leaf("PrivateID", profile.privateId)}${profile.serviceProfiles
    .map(serviceProfile)
    .join("")}</IMSSubscription>`;
}

function serviceProfile(profile: ServiceProfile): string {
  const services = wrap("ListOfServiceIds", profile.serviceIds.map((id) => leaf("ServiceId", id)).join(""));
  return wrap(
    "ServiceProfile",
    profile.publicIdentities.map(publicIdentityElement).join("") +
      profile.initialFilterCriteria.map(buildInitialFilterCriteria).join("") +
      wrap(
        "CoreNetworkServicesAuthorization",
        leaf("SubscribedMediaProfileId", profile.subscribedMediaProfileId) + wrap("Extension", services),
      ) +
      wrap("Extension", profile.sharedIfcSetIds.map((id) => leaf("SharedIFCSetID", id)).join("")),
  );
}

export function publicIdentityElement(identity: PublicIdentity): string {
  const fourth = (identity.extendedPriorities ?? [])
    .map(({ namespace, level }) =>
      wrap("ExtendedPriority", leaf("PriorityNamespace", namespace) + leaf("PriorityLevel", level)),
    )
    .join("");
  const third =
    leaf("WildcardedIMPU", identity.wildcardedImpu) +
    leaf("ServiceLevelTraceInfo", identity.serviceLevelTraceInfo) +
    leaf("ServicePriorityLevel", identity.servicePriorityLevel) +
    wrap("Extension", fourth);
  const second =
    leaf("DisplayName", identity.displayName) +
    leaf("AliasIdentityGroupID", identity.aliasGroup) +
    wrap("Extension", third);
  // The schema makes IdentityType the first element of its extension.
  const type =
    identity.identityType ?? (second === "" && identity.wildcardedPsi === undefined ? undefined : 0);
  const first =
    leaf("IdentityType", type) + leaf("WildcardedPSI", identity.wildcardedPsi) + wrap("Extension", second);
  return wrap(
    "PublicIdentity",
    (identity.barred ? leaf("BarringIndication", 1) : "") +
      leaf("Identity", identity.identity) +
      wrap("Extension", first),
  );
}
