import type { SubscriptionRecord } from "./subscriber-repository.ts";

type Parts = SubscriptionRecord;
type PrivateIdentity = Parts["privateIdentities"][number];
type RegistrationSet = Parts["sets"][number];
type ServiceProfile = RegistrationSet["profiles"][number];

/** Adds a private identity, or puts it in the place of the one of its name. */
export function withPrivateIdentity(parts: Parts, one: PrivateIdentity): Parts {
  const others = parts.privateIdentities.filter(({ impi }) => impi !== one.impi);
  const known = others.length < parts.privateIdentities.length;
  const privateIdentities = known
    ? parts.privateIdentities.map((each) => (each.impi === one.impi ? one : each))
    : [...others, one];
  return { ...parts, privateIdentities };
}

/** Takes a private identity away, and with it the sets that nobody may register any more. */
export function withoutPrivateIdentity(parts: Parts, impi: string): Parts {
  const privateIdentities = parts.privateIdentities.filter((each) => each.impi !== impi);
  const left = new Set(privateIdentities.flatMap(({ sets }) => sets));
  return { privateIdentities, sets: parts.sets.filter(({ id }) => left.has(id)) };
}

/** Lets a private identity of the subscription register a set, which is made when it is not there. */
export function withAssociation(parts: Parts, impi: string, setId: string): Parts {
  const privateIdentities = parts.privateIdentities.map((each) =>
    each.impi === impi && !each.sets.includes(setId) ? { ...each, sets: [...each.sets, setId] } : each,
  );
  const sets = parts.sets.some(({ id }) => id === setId)
    ? parts.sets
    : [...parts.sets, { id: setId, profiles: [] }];
  return { privateIdentities, sets };
}

/** The opposite. The set goes when nobody else may register it. */
export function withoutAssociation(parts: Parts, impi: string, setId: string): Parts {
  const privateIdentities = parts.privateIdentities.map((each) =>
    each.impi === impi ? { ...each, sets: each.sets.filter((id) => id !== setId) } : each,
  );
  const left = new Set(privateIdentities.flatMap(({ sets }) => sets));
  return { privateIdentities, sets: parts.sets.filter(({ id }) => left.has(id)) };
}

export function withoutSet(parts: Parts, setId: string): Parts {
  return {
    privateIdentities: parts.privateIdentities.map((each) => ({
      ...each,
      sets: each.sets.filter((id) => id !== setId),
    })),
    sets: parts.sets.filter(({ id }) => id !== setId),
  };
}

/** Changes the profiles of one set. */
export function withProfiles(
  parts: Parts,
  setId: string,
  change: (profiles: readonly ServiceProfile[]) => readonly ServiceProfile[],
): Parts {
  return {
    ...parts,
    sets: parts.sets.map((set) => (set.id === setId ? { ...set, profiles: change(set.profiles) } : set)),
  };
}

/** Changes one profile of one set. */
export function withProfile(
  parts: Parts,
  setId: string,
  profileId: string,
  change: (profile: ServiceProfile) => ServiceProfile,
): Parts {
  return withProfiles(parts, setId, (profiles) =>
    profiles.map((each) => (each.id === profileId ? change(each) : each)),
  );
}
