import { buildUserProfile, type InitialFilterCriteria } from "@ims/ims";
import { digestHa1 } from "@ims/sip";
import type {
  AuthenticationVector,
  ChargingAddresses,
  Cx,
  LocationInfo,
  LocationInfoOutcome,
  MultimediaAuth,
  MultimediaAuthOutcome,
  ServerAssignment,
  ServerAssignmentOutcome,
  UserAuthorization,
  UserAuthorizationOutcome,
} from "../../src/cx/cx.ts";

export interface FakeSubscriber {
  readonly impi: string;
  readonly password?: string;
  /** In order; a leading "!" bars. */
  readonly impus: readonly string[];
  readonly algorithms?: readonly ("MD5" | "SHA-256")[];
  readonly vector?: AuthenticationVector;
  readonly aliasGroup?: string;
  readonly ifcs?: readonly InitialFilterCriteria[];
  readonly sharedIfcSetIds?: readonly number[];
  /** "namespace.priority" of all its identities. */
  readonly resourcePriorities?: readonly string[];
  readonly charging?: ChargingAddresses;
  /** Services for the unregistered user exist. */
  readonly unregisteredServices?: boolean;
}

export type CxCall =
  | { readonly command: "UAR"; readonly query: UserAuthorization }
  | { readonly command: "MAR"; readonly query: MultimediaAuth }
  | { readonly command: "SAR"; readonly query: ServerAssignment }
  | { readonly command: "LIR"; readonly query: LocationInfo };

/** An HSS in words: subscribers, who serves them, and every question asked. */
export class FakeCx implements Cx {
  readonly calls: CxCall[] = [];
  readonly subscribers: FakeSubscriber[] = [];
  /** S-CSCF by identity. */
  readonly servers = new Map<string, string>();
  /** Private identities that have registered an identity which several share. */
  readonly #sharers = new Map<string, Set<string>>();
  /** TS 29.228 §6.1.1.1 to the letter: who is not registered cannot be deregistered. */
  knowsWhoIsRegistered = false;
  /** Overrides by command, taken once each. */
  readonly next: {
    UAR: UserAuthorizationOutcome[];
    MAR: MultimediaAuthOutcome[];
    SAR: ServerAssignmentOutcome[];
    LIR: LocationInfoOutcome[];
  } = { UAR: [], MAR: [], SAR: [], LIR: [] };

  /** Commands asked since the last call: "UAR", "SAR REGISTRATION", ... */
  taken(): string[] {
    return this.calls
      .splice(0)
      .map((call) => (call.command === "SAR" ? `SAR ${call.query.type}` : call.command));
  }

  async userAuthorization(query: UserAuthorization): Promise<UserAuthorizationOutcome> {
    this.calls.push({ command: "UAR", query });
    const planned = this.next.UAR.shift();
    if (planned !== undefined) return planned;
    const subscriber = this.#of(query.impu, query.impi);
    if (subscriber === undefined) return { kind: "rejected", reason: "userUnknown" };
    if (subscriber.impi !== query.impi) return { kind: "rejected", reason: "identitiesDontMatch" };
    const name = query.type === "registrationAndCapabilities" ? undefined : this.servers.get(query.impu);
    if (name !== undefined) return { kind: "server", name };
    if (this.knowsWhoIsRegistered && query.type === "deregistration")
      return { kind: "rejected", reason: "identityNotRegistered" };
    return { kind: "capabilities", capabilities: { mandatory: [], optional: [], serverNames: [] } };
  }

  async multimediaAuth(query: MultimediaAuth): Promise<MultimediaAuthOutcome> {
    this.calls.push({ command: "MAR", query });
    const planned = this.next.MAR.shift();
    if (planned !== undefined) return planned;
    const subscriber = this.#of(query.impu, query.impi);
    if (subscriber === undefined) return { kind: "rejected", reason: "userUnknown" };
    if (subscriber.vector !== undefined) return { kind: "vector", vector: subscriber.vector };
    const { impi, password = "secret", algorithms = ["MD5"] } = subscriber;
    const secrets = algorithms.map((algorithm) => ({
      algorithm,
      ha1: digestHa1(algorithm, impi, "example.com", password),
    }));
    return { kind: "vector", vector: { kind: "digest", realm: "example.com", qop: "auth", secrets } };
  }

  async serverAssignment(query: ServerAssignment): Promise<ServerAssignmentOutcome> {
    this.calls.push({ command: "SAR", query });
    const planned = this.next.SAR.shift();
    if (planned !== undefined) return planned;
    const [impu = ""] = query.impus;
    const subscriber = this.#of(impu, query.impi);
    if (subscriber === undefined) return { kind: "rejected", reason: "userUnknown" };
    const assigns =
      query.type === "REGISTRATION" || query.type === "RE_REGISTRATION" || query.type === "UNREGISTERED_USER";
    for (const one of subscriber.impus) {
      const key = one.replace(/^!/, "");
      if (assigns) this.servers.set(key, query.serverName);
      // TS 29.228 §6.1.2.1: a shared identity stays registered with the others.
      else if (!this.#isLeftToOthers(key, query.impi)) this.servers.delete(key);
      if (assigns && query.impi !== undefined) this.#sharersOf(key).add(query.impi);
    }
    return {
      kind: "assigned",
      profileXml: assigns && !query.profileKnown ? profileXml(subscriber) : undefined,
      charging: subscriber.charging,
      impis: [subscriber.impi],
      wildcard: undefined,
    };
  }

  async locationInfo(query: LocationInfo): Promise<LocationInfoOutcome> {
    this.calls.push({ command: "LIR", query });
    const planned = this.next.LIR.shift();
    if (planned !== undefined) return planned;
    const subscriber = this.#of(query.impu);
    if (subscriber === undefined) return { kind: "rejected", reason: "userUnknown" };
    const name = this.servers.get(query.impu);
    if (name !== undefined) return { kind: "server", name, wildcard: undefined };
    if (subscriber.unregisteredServices !== true)
      return { kind: "rejected", reason: "identityNotRegistered" };
    return {
      kind: "capabilities",
      capabilities: { mandatory: [], optional: [], serverNames: [] },
      wildcard: undefined,
    };
  }

  #sharersOf(impu: string): Set<string> {
    const known = this.#sharers.get(impu) ?? new Set();
    this.#sharers.set(impu, known);
    return known;
  }

  #isLeftToOthers(impu: string, impi: string | undefined): boolean {
    const sharers = this.#sharersOf(impu);
    if (impi === undefined) sharers.clear();
    else sharers.delete(impi);
    return sharers.size > 0;
  }

  /** Of several that share the identity the one that is named. */
  #of(impu: string, impi?: string): FakeSubscriber | undefined {
    const all = this.subscribers.filter(({ impus }) => impus.some((one) => one.replace(/^!/, "") === impu));
    return all.find((one) => one.impi === impi) ?? all[0];
  }
}

/** User-Data of a subscriber: TS 29.228 annex E. */
export function profileXml({
  impi,
  impus,
  aliasGroup,
  ifcs = [],
  sharedIfcSetIds = [],
  resourcePriorities = [],
}: FakeSubscriber): string {
  const extendedPriorities = resourcePriorities.map((text) => {
    const [namespace = "", level = ""] = text.split(".");
    return { namespace, level };
  });
  return buildUserProfile({
    privateId: impi,
    serviceProfiles: [
      {
        publicIdentities: impus.map((one) => {
          const identity = one.replace(/^!/, "");
          const barred = one.startsWith("!");
          return identity.includes("!")
            ? { identity, barred, identityType: 4, wildcardedImpu: identity }
            : { identity, barred, aliasGroup, extendedPriorities };
        }),
        initialFilterCriteria: ifcs,
        sharedIfcSetIds,
        serviceIds: [],
      },
    ],
  });
}
