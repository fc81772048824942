import type { ChargingRole } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import type { OwnUris, RequestContext, SessionTimers, SipMessage } from "@ims/sip";
import type { Cx } from "../cx/cx.ts";
import type { ProfileReader } from "../profile/profile-reader.ts";
import type { Gruus } from "../routing/gruu.ts";
import type { Numbers } from "../routing/numbers.ts";
import type { ImpiStore } from "../store/impi-store.ts";
import type { Registration } from "../store/registration.ts";
import type { RegistrationStore } from "../store/registration-store.ts";
import type { ApplicationServers } from "./application-servers.ts";
import type { ChallengeWatch } from "./challenge-watch.ts";
import type { ScscfCharging } from "./charging-events.ts";
import type { FilterCriteria } from "./filter-criteria.ts";
import type { LapseClaims } from "./lapse-claim.ts";
import type { ScscfMeasurement } from "./measurement.ts";
import type { Notifier } from "./notifier.ts";
import type { OdiTokens } from "./odi-token.ts";

/** What the procedures of the S-CSCF are told about their network. */
export interface ScscfOptions {
  readonly homeDomain: string;
  /** Further domains whose users are ours. */
  readonly aliasDomains: readonly string[];
  /** SIP URI of this S-CSCF: Server-Name on Cx, Route and Service-Route on Mw. */
  readonly scscfUri: string;
  /** The same as others route to it: TLS in its parameters, while the name at the HSS stays. Default: scscfUri. */
  readonly routedUri?: string;
  /** SIP URI of our own I-CSCF. */
  readonly icscfUri: string;
  /** SIP URI of the one that finds terminating users of the home domain; "" or undefined: our own. */
  readonly externalIcscfUri?: string;
  /** SIP URI of the BGCF; "" or undefined: no breakout. */
  readonly bgcfUri?: string;
  /** SIP URI of the E-CSCF; "" or undefined: none. */
  readonly ecscfUri?: string;
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
  /** How long an application server may be silent when the session goes on without it (DefaultHandling 0), ms. */
  readonly asTimeoutContinuedMs: number;
  /** The same when the session ends with it (DefaultHandling 1), ms. */
  readonly asTimeoutTerminatedMs: number;
  /** An initial request that meets no filter criteria although its user has some is answered 403. */
  readonly rejectIfNoMatchingIfcs: boolean;
  /** Shortest and longest subscription to the registration event package, s. */
  readonly minSubscription: number;
  readonly maxSubscription: number;
  /** Contacts that suit the caller's preferences less: tried "later", or "together" with the others of their q (RFC 3841 §7.2.4). */
  readonly lessPreferredContacts?: "later" | "together";
  /** How long contacts ring while there are others to be tried after them, s; 0 or absent: until they fail. */
  readonly contactRingSeconds?: number;
  /** Server name in filter criteria that stands for no application server; "": none. */
  readonly dummyApplicationServer: string;
}

/** Told after a set has changed: third-party registration (§5.4.1.7) and reg-event notification (§5.4.2.1.2). */
export interface RegistrationListener {
  /** `exchange`: there is none when the set has changed for another reason than a REGISTER. */
  registered(registration: Registration, initial: boolean, exchange?: RegisterExchange): void;
  deregistered(
    impu: string,
    registration: Registration,
    exchange?: RegisterExchange,
    by?: "expiry" | "network",
  ): void;
  /** The HSS has given another profile (PPR). */
  profileChanged?(registration: Registration, before: Registration): void;
}

/** Looks on; no procedure depends on it. */
export interface ScscfObserver {
  /** REGISTER. */
  registration(context: RequestContext): void;
  /** A request outside a dialog. */
  initial(context: RequestContext, role: ChargingRole): void;
  inDialog(context: RequestContext): void;
}

/** A REGISTER and its 200. They are not to be kept. */
export interface RegisterExchange {
  readonly request: SipMessage;
  readonly response: SipMessage;
}

/**
 * "silent": no answer in time; "failed": unreachable, 408 or 5xx; "skipped": known to be away; "continued": default handling took
 * the session on; "retargeted": it came back with another Request-URI; "forged": with an identifier that is not ours; "unmatched":
 * no criteria were met. The others are of third-party registration.
 */
export type ApplicationServerOutcome =
  | "forwarded"
  | "silent"
  | "failed"
  | "skipped"
  | "continued"
  | "retargeted"
  | "forged"
  | "unmatched"
  | "registered"
  | "registrationFailed"
  | "deregistering";

/** What the S-CSCF counts. */
export interface ScscfCounters {
  authentication(
    outcome: "challenged" | "stale" | "accepted" | "refused" | "resynchronised" | "trusted",
  ): void;
  registration(outcome: "initial" | "refreshed" | "repeated" | "removed" | "lapsed" | "refused"): void;
  session(sessionCase: "originating" | "terminating", outcome: "routed" | "refused"): void;
  /** A request that meets filter criteria, and what became of the visit to the application server. */
  applicationServer(outcome: ApplicationServerOutcome): void;
  /** SUBSCRIBE for the registration event package. */
  subscription(outcome: "begun" | "refreshed" | "ended" | "refused"): void;
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
  /** Procedures as TS 32.409 counts them. */
  readonly measurement: ScscfMeasurement;
  /** Who writes down what happens, for analytics; undefined: nobody. */
  readonly analytics?: ScscfObserver | undefined;
  readonly listeners: readonly RegistrationListener[];
  readonly filterCriteria: FilterCriteria;
  readonly applicationServers: ApplicationServers;
  readonly odi: OdiTokens;
  /** Registration event package. */
  readonly notifier: Notifier;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ScscfCharging | undefined;
  /** Telephone numbers; undefined: nothing is done about them. */
  readonly numbers?: Numbers | undefined;
  /** Session timers (RFC 4028); undefined: nothing is asked for or limited. */
  readonly sessionTimers?: SessionTimers | undefined;
  /** URIs that are this S-CSCF. */
  readonly own: OwnUris;
  /** Unguessable text, at least 128 bits. */
  readonly nonce: () => string;
}
