import { parseInitialFilterCriteria } from "./parse-ifc.ts";
import type {
  ExtendedPriority,
  PublicIdentity,
  ServiceProfile,
  UserProfile,
  UserProfileResult,
} from "./user-profile.ts";
import { boolean, integer, optionalInteger, text } from "./values.ts";
import { child, childrenOf, type Element, readXml, XmlRefused } from "./xml.ts";

/** Reads the User-Data AVP (TS 29.228 annex E). Elements it does not know are passed over, as the schema asks. */
export function parseUserProfile(xml: string): UserProfileResult {
  try {
    return { kind: "parsed", profile: subscription(readXml(xml)) };
  } catch (error) {
    if (!(error instanceof XmlRefused)) throw error;
    return { kind: "malformed", code: error.code, reason: error.message };
  }
}

function subscription(root: Element): UserProfile {
  if (root.name !== "IMSSubscription") {
    throw new XmlRefused("NOT_A_SUBSCRIPTION", `root element is ${root.name.slice(0, 80)}`);
  }
  const profiles = childrenOf(root, "ServiceProfile");
  if (profiles.length === 0) throw new XmlRefused("MISSING_ELEMENT", "ServiceProfile");
  return { privateId: text(root, "PrivateID"), serviceProfiles: profiles.map(serviceProfile) };
}

function serviceProfile(element: Element): ServiceProfile {
  const identities = childrenOf(element, "PublicIdentity");
  if (identities.length === 0) throw new XmlRefused("MISSING_ELEMENT", "PublicIdentity");
  const services = child(element, "CoreNetworkServicesAuthorization");
  const list = child(child(services, "Extension"), "ListOfServiceIds");
  return {
    publicIdentities: identities.map(publicIdentityOf),
    initialFilterCriteria: childrenOf(element, "InitialFilterCriteria")
      .map(parseInitialFilterCriteria)
      .sort((one, other) => one.priority - other.priority),
    sharedIfcSetIds: childrenOf(child(element, "Extension"), "SharedIFCSetID").map((each) =>
      integer(each.text, "SharedIFCSetID"),
    ),
    subscribedMediaProfileId: optionalInteger(services, "SubscribedMediaProfileId"),
    serviceIds: childrenOf(list, "ServiceId").map((each) => each.text),
  };
}

/** A PublicIdentity element. Throws XmlRefused. */
export function publicIdentityOf(element: Element): PublicIdentity {
  const first = child(element, "Extension");
  const second = child(first, "Extension");
  const third = child(second, "Extension");
  const priorities = childrenOf(child(third, "Extension"), "ExtendedPriority");
  return {
    identity: text(element, "Identity"),
    barred: boolean(element, "BarringIndication"),
    identityType: optionalInteger(first, "IdentityType"),
    wildcardedPsi: child(first, "WildcardedPSI")?.text,
    displayName: child(second, "DisplayName")?.text,
    aliasGroup: child(second, "AliasIdentityGroupID")?.text,
    wildcardedImpu: child(third, "WildcardedIMPU")?.text,
    serviceLevelTraceInfo: child(third, "ServiceLevelTraceInfo")?.text,
    servicePriorityLevel: optionalInteger(third, "ServicePriorityLevel"),
    ...(priorities.length === 0 ? {} : { extendedPriorities: priorities.map(extendedPriority) }),
  };
}

function extendedPriority(element: Element): ExtendedPriority {
  return { namespace: text(element, "PriorityNamespace"), level: text(element, "PriorityLevel") };
}
