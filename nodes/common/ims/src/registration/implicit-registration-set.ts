import { canonicalImpu } from "../identity/impu.ts";
import {
  isWildcarded,
  matchesWildcard,
  parseWildcardedImpu,
  type WildcardedImpu,
} from "../identity/wildcarded-impu.ts";
import type { PublicIdentity, ServiceProfile, UserProfile } from "../profile/user-profile.ts";

export type Member = {
  readonly identity: PublicIdentity;
  /** Key for comparison; of a wildcard its own text. */
  readonly canonical: string;
  readonly wildcard: WildcardedImpu | undefined;
  readonly profile: ServiceProfile;
};

/** The identities that are registered together: TS 23.228 §5.2.1a. */
export type ImplicitRegistrationSet = {
  readonly privateId: string;
  /** In the order of the user profile. */
  readonly members: readonly Member[];
  /** The first identity that is not barred: TS 24.229 §5.4.1.2.2F. Undefined when all are barred. */
  readonly defaultIdentity: Member | undefined;
  /** What P-Associated-URI lists: every identity that is not barred, the default first. */
  readonly associatedUris: readonly string[];
  /** What its users may claim as Resource-Priority, "namespace.priority" (RFC 4412 §3.1), the highest of each namespace. */
  readonly resourcePriorities: readonly string[];
};

/** The set a user profile describes. Identities that are no URIs are left out. */
export function implicitRegistrationSet(profile: UserProfile): ImplicitRegistrationSet {
  const members = profile.serviceProfiles.flatMap((service) =>
    service.publicIdentities.flatMap((identity) => member(identity, service)),
  );
  const unbarred = members.filter(({ identity }) => !identity.barred);
  return {
    privateId: profile.privateId,
    members,
    defaultIdentity: unbarred.find(({ wildcard }) => wildcard === undefined),
    associatedUris: unbarred
      .filter(({ wildcard }) => wildcard === undefined)
      .map(({ identity }) => identity.identity),
    resourcePriorities: prioritiesOf(unbarred),
  };
}

/** More than a header field should hold. */
const MAX_PRIORITIES = 32;
const NO_PRIORITIES: readonly string[] = [];

function prioritiesOf(members: readonly Member[]): readonly string[] {
  const found = new Set<string>();
  // What is no token of RFC 4412 §3.1 would be another header field.
  for (const { identity } of members)
    for (const { namespace, level } of identity.extendedPriorities ?? [])
      if (found.size < MAX_PRIORITIES && isToken(namespace) && isToken(level))
        found.add(`${namespace}.${level}`);
  return found.size === 0 ? NO_PRIORITIES : [...found];
}

function isToken(text: string): boolean {
  return /^[A-Za-z0-9\-!%*_+`'~]{1,64}$/.test(text);
}

/** The member that covers an identity: an exact one before a wildcard (TS 23.003 §13.4B). */
export function memberOf(set: ImplicitRegistrationSet, canonical: string): Member | undefined {
  return (
    set.members.find((each) => each.wildcard === undefined && each.canonical === canonical) ??
    set.members.find((each) => each.wildcard !== undefined && matchesWildcard(each.wildcard, canonical))
  );
}

/** Members with the same service profile and the same alias group: TS 29.228 §B.2.1A. The member itself is among them. */
export function aliasesOf(set: ImplicitRegistrationSet, of: Member): readonly Member[] {
  const group = of.identity.aliasGroup;
  if (group === undefined) return [of];
  return set.members.filter((each) => each.identity.aliasGroup === group && each.profile === of.profile);
}

function member(identity: PublicIdentity, profile: ServiceProfile): Member[] {
  const pattern = identity.wildcardedImpu ?? identity.wildcardedPsi;
  const text = pattern ?? (isWildcarded(identity.identity) ? identity.identity : undefined);
  if (text !== undefined) {
    const wildcard = parseWildcardedImpu(text);
    return wildcard === undefined ? [] : [{ identity, canonical: wildcard.text, wildcard, profile }];
  }
  const canonical = canonicalImpu(identity.identity);
  return canonical === undefined ? [] : [{ identity, canonical, wildcard: undefined, profile }];
}
