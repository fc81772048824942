import type { WildcardedImpu } from "@ims/ims";
import {
  type Credentials,
  identityOf,
  notRegistered,
  type Registration,
  type ServiceData,
  type Subscriber,
  type SubscriberIdentity,
} from "./subscriber.ts";
import {
  type AssignedServer,
  NO_SET_STATE,
  type SetState,
  type SubscriptionState,
} from "./subscription-state.ts";

/** A private identity of a subscription, and the implicit registration sets it may register: TS 23.228 §4.3.3.4. */
export type PrivateIdentity = {
  readonly impi: string;
  readonly credentials: Credentials;
  /** By their ids. */
  readonly sets: readonly string[];
};

/** Identities of one set that have their services in common: TS 29.228 §B.2.1. */
export type ServiceProfile = {
  readonly id: string;
  readonly identities: readonly SubscriberIdentity[];
  readonly services: ServiceData;
};

export type RegistrationSet = { readonly id: string; readonly profiles: readonly ServiceProfile[] };

/**
 * An IMS subscription with more in it than one private identity, one set and one profile. `key`: the name of its row, which was a private
 * identity of it once, and mostly still is.
 */
export class Subscription {
  readonly key: string;
  readonly privateIdentities: readonly PrivateIdentity[];
  readonly sets: readonly RegistrationSet[];
  readonly state: SubscriptionState;
  /** User-Data by private identity and set, as they were asked for. */
  readonly profiles: Map<string, string>;

  constructor(
    parts: Pick<Subscription, "key" | "privateIdentities" | "sets" | "profiles">,
    state: SubscriptionState,
  ) {
    this.key = parts.key;
    this.privateIdentities = parts.privateIdentities;
    this.sets = parts.sets;
    this.state = state;
    this.profiles = parts.profiles;
  }

  with(state: SubscriptionState): Subscription {
    return new Subscription(this, state);
  }

  /** As one of its private identities sees it, with the first of its sets; undefined when it has no such one. */
  ofPrivate(impi: string): Subscriber | undefined {
    const one = this.privateIdentities.find((each) => each.impi === impi);
    if (one === undefined) return undefined;
    const set = this.sets.find(({ id }) => one.sets.includes(id));
    return this.#view(one, set, [impi]);
  }

  /** As whoever is reached by a public identity sees it; undefined when nobody could register it. */
  ofPublic(
    canonical: string,
    matches: (wildcard: WildcardedImpu, canonical: string) => boolean,
  ): Subscriber | undefined {
    const views = this.sets.flatMap(({ id }) => this.ofSet(id) ?? []);
    // An exact identity goes before a wildcard of another set.
    const exact = views.find(({ identities }) => identities.some((one) => one.canonical === canonical));
    return exact ?? views.find((view) => identityOf(view, canonical, matches) !== undefined);
  }

  /** As one of its private identities sees all its sets together. */
  ofPrivateAsWhole(impi: string): Subscriber | undefined {
    const views = this.eachOf(impi);
    const [first] = views;
    const { part } = first ?? {};
    if (first === undefined || part === undefined) return undefined;
    const scope = views.flatMap((view) => view.part?.scope ?? []);
    const identities = views.flatMap((view) => view.identities);
    return { ...first, identities, part: { ...part, scope } };
  }

  /** A set, on behalf of all that may register it. */
  ofSet(id: string): Subscriber | undefined {
    const set = this.sets.find((each) => each.id === id);
    const sharing = this.privateIdentities.filter(({ sets }) => sets.includes(id)).map(({ impi }) => impi);
    const registered = this.state.sets.get(id)?.registered ?? [];
    const one =
      this.privateIdentities.find(({ impi }) => registered.includes(impi)) ??
      this.privateIdentities.find(({ impi }) => sharing.includes(impi));
    return set === undefined || one === undefined ? undefined : this.#view(one, set, sharing);
  }

  /** A private identity with each of its sets; with none when it has none. */
  eachOf(impi: string): readonly Subscriber[] {
    const one = this.privateIdentities.find((each) => each.impi === impi);
    if (one === undefined) return [];
    const sets = this.sets.filter(({ id }) => one.sets.includes(id));
    return sets.length === 0
      ? [this.#view(one, undefined, [impi])]
      : sets.map((set) => this.#view(one, set, [impi]));
  }

  #view(one: PrivateIdentity, set: RegistrationSet | undefined, on: readonly string[]): Subscriber {
    const profiles = set?.profiles ?? [];
    const [first] = profiles;
    return {
      impi: one.impi,
      identities:
        profiles.length === 1 && first !== undefined
          ? first.identities
          : profiles.flatMap(({ identities }) => identities),
      credentials: one.credentials,
      services: first?.services ?? NONE,
      sqn: this.state.sqns.get(one.impi) ?? 0,
      registration:
        set === undefined
          ? notRegistered
          : registrationOf(this.state.server, this.state.sets.get(set.id) ?? NO_SET_STATE, on),
      profile: { xml: undefined },
      part: { subscription: this, set, scope: set === undefined ? [] : [set.id], onBehalfOf: on },
    };
  }
}

const NONE: ServiceData = {
  initialFilterCriteria: [],
  sharedIfcSetIds: [],
  capabilities: { mandatory: [], optional: [], serverNames: [] },
};

/** What a subscriber that was given out is a part of. */
export type SubscriptionPart = {
  readonly subscription: Subscription;
  readonly set: RegistrationSet | undefined;
  /** Ids of the sets that a change of its registration is about: that one, or more. */
  readonly scope: readonly string[];
  /** The private identities that a change of its registration is about. */
  readonly onBehalfOf: readonly string[];
};

/** The registration of a set as some of its private identities see it. */
function registrationOf(
  server: AssignedServer | undefined,
  { registered, unregistered, pending }: SetState,
  on: readonly string[],
): Registration {
  const isRegistered = on.some((impi) => registered.includes(impi));
  const idle = registered.length === 0 && unregistered;
  return {
    state: isRegistered ? "registered" : idle ? "unregistered" : "notRegistered",
    authenticationPending: on.some((impi) => pending.includes(impi)),
    serverName: server?.serverName,
    originHost: server?.originHost,
    originRealm: server?.originRealm,
  };
}
