import type { InitialFilterCriteria } from "../ifc/initial-filter-criteria.ts";

/** TS 29.228 annex E (tIdentityType). */
export const IdentityType = {
  PUBLIC_USER_IDENTITY: 0,
  DISTINCT_PSI: 1,
  WILDCARDED_PSI: 2,
  NON_DISTINCT_IMPU: 3,
  WILDCARDED_IMPU: 4,
} as const;
export type IdentityType = (typeof IdentityType)[keyof typeof IdentityType];

/** Extended-Priority class of TS 29.228 annex B: a namespace of RFC 4412 and the highest of its priorities. */
export type ExtendedPriority = { readonly namespace: string; readonly level: string };

/** Public-Identification class: TS 29.228 §B.2.1A. */
export type PublicIdentity = {
  /** As the HSS spells it; compare by `canonicalImpu`. */
  readonly identity: string;
  readonly barred: boolean;
  readonly identityType?: number | undefined;
  readonly wildcardedPsi?: string | undefined;
  readonly wildcardedImpu?: string | undefined;
  readonly displayName?: string | undefined;
  readonly aliasGroup?: string | undefined;
  readonly serviceLevelTraceInfo?: string | undefined;
  readonly servicePriorityLevel?: number | undefined;
  readonly extendedPriorities?: readonly ExtendedPriority[] | undefined;
};

/** Service-Profile class: TS 29.228 §B.2.1. */
export type ServiceProfile = {
  readonly publicIdentities: readonly PublicIdentity[];
  /** By priority. */
  readonly initialFilterCriteria: readonly InitialFilterCriteria[];
  readonly sharedIfcSetIds: readonly number[];
  /** Core Network Services Authorization. */
  readonly subscribedMediaProfileId?: number | undefined;
  readonly serviceIds: readonly string[];
};

/** The IMS user profile in User-Data: TS 29.228 §B.1, one implicit registration set. */
export type UserProfile = {
  readonly privateId: string;
  readonly serviceProfiles: readonly ServiceProfile[];
};

/** Why a User-Data document was refused. */
export type UserProfileFault =
  | "TOO_LARGE"
  | "DOCTYPE_REFUSED"
  | "TOO_DEEP"
  | "NOT_XML"
  | "NOT_A_SUBSCRIPTION"
  | "MISSING_ELEMENT"
  | "BAD_VALUE";

export type UserProfileResult =
  | { readonly kind: "parsed"; readonly profile: UserProfile }
  | { readonly kind: "malformed"; readonly code: UserProfileFault; readonly reason: string };
