import type { Clock } from "@ims/runtime";
import type { Cx } from "../cx/cx.ts";
import type { ProfileReader } from "../profile/profile-reader.ts";
import type { Gruus } from "../routing/gruu.ts";
import type { OwnUris } from "../routing/own-route.ts";
import type { ImpiStore } from "../store/impi-store.ts";
import type { Registration } from "../store/registration.ts";
import type { RegistrationStore } from "../store/registration-store.ts";
import type { ChallengeWatch } from "./challenge-watch.ts";
import type { LapseClaims } from "./lapse-claim.ts";

/** What the procedures of the S-CSCF are told about their network. */
export interface ScscfOptions {
  readonly homeDomain: string;
  /** Further domains whose users are ours. */
  readonly aliasDomains: readonly string[];
  /** SIP URI of this S-CSCF: Server-Name on Cx, Route and Service-Route on Mw. */
  readonly scscfUri: string;
  /** SIP URI of the I-CSCF that finds terminating users of the home domain. */
  readonly icscfUri: string;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  /** SIP digest algorithms in the order they are offered, as far as the HSS has them (RFC 8760 §2.3). */
  readonly digestAlgorithms: readonly string[];
  /** s */
  readonly minExpires: number;
  /** s */
  readonly maxExpires: number;
  /** Simultaneous bindings of one implicit registration set. */
  readonly maxBindings: number;
  /** Requests to other domains leave by DNS (RFC 3263); otherwise they are answered 404. */
  readonly allowForeignDomains: boolean;
  /** How long the profile of an unregistered user is kept, s. */
  readonly unregisteredSeconds: number;
  /** Send SAR for re-registrations too (TS 29.228 §6.1.2). */
  readonly confirmReregistrations: boolean;
}

/** Told after a set has changed: third-party registration (§5.4.1.7) and reg-event notification (§5.4.2.1.2). */
export interface RegistrationListener {
  registered(registration: Registration, initial: boolean): void;
  deregistered(impu: string, registration: Registration): void;
}

/** What the S-CSCF counts. */
export interface ScscfCounters {
  authentication(
    outcome: "challenged" | "stale" | "accepted" | "refused" | "resynchronised" | "trusted",
  ): void;
  registration(outcome: "initial" | "refreshed" | "repeated" | "removed" | "lapsed" | "refused"): void;
  session(sessionCase: "originating" | "terminating", outcome: "routed" | "refused"): void;
}

export interface ScscfModules {
  readonly options: ScscfOptions;
  readonly cx: Cx;
  readonly clock: Clock;
  readonly registrations: RegistrationStore;
  readonly challenges: ImpiStore;
  readonly challengeWatch: ChallengeWatch;
  readonly claims: LapseClaims;
  readonly readProfile: ProfileReader;
  readonly gruus: Gruus;
  readonly counters: ScscfCounters;
  readonly listeners: readonly RegistrationListener[];
  /** URIs that are this S-CSCF. */
  readonly own: OwnUris;
  /** Unguessable text, at least 128 bits. */
  readonly nonce: () => string;
}
