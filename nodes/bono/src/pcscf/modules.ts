import type { ChargingTriggers } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import type { ResourcePriorities, SessionInterval, SessionTimers, Target, Uri } from "@ims/sip";
import type { MediaGateway } from "../media-gateway/media-gateway.ts";
import type { CallRelease } from "./call-release.ts";
import type { CallWatch } from "./call-watch.ts";
import type { EmergencyNumbers } from "./emergency-numbers.ts";
import type { FlowTable } from "./flow-table.ts";
import type { FlowTokens } from "./flow-token.ts";
import type { GuessLimiter } from "./guess-limiter.ts";
import type { OwnUris } from "./own-uris.ts";
import type { RegistrationEvents } from "./registration-events.ts";
import type { ServiceRoutes } from "./service-route.ts";
import type { SourceLimiter } from "./source-limiter.ts";

/** Why the P-CSCF itself refused a request. */
export type Refusal =
  | "notRegistered"
  | "foreignDialog"
  | "foreignRoute"
  | "forgedToken"
  | "flowGone"
  | "noRoute"
  | "sourceLimit"
  | "guessLimit"
  | "malformed"
  | "coreUnreachable"
  | "foreignPeer"
  | "quiescing"
  | "alternativeService"
  | "emergencyOnly";

/** What happened, told to whoever counts. */
export interface PcscfCounters {
  registered(): void;
  deregistered(): void;
  refused(why: Refusal): void;
  /** A call was ended because its UE was deregistered. */
  released(): void;
  /** Of our own subscriptions to registrations. */
  registrationEvent(outcome: "subscribed" | "refused" | "notified" | "malformed"): void;
}

/** Values of this P-CSCF that do not change while it runs. */
export interface PcscfSettings {
  /** Where REGISTER requests go (Mw towards the I-CSCF). */
  readonly icscf: Uri;
  /** P-Visited-Network-ID (RFC 7315 §4.3). */
  readonly visitedNetworkId: string;
  /** Type 1 orig-ioi of P-Charging-Vector: the network we are in (TS 24.229 §7.2A.5). */
  readonly ioi: string;
  /** icid-generated-at. */
  readonly icidHost: string;
  /** "host:port;transport=tcp" of the trusted side, as it stands in our URIs. */
  readonly coreHostPort: string;
  /** Seconds between keep-alives that are asked of UEs (RFC 5626 §4.4, RFC 6223) on connections; 0: none are asked. */
  readonly keepAliveSeconds: number;
  /** The same over UDP. */
  readonly udpKeepAliveSeconds: number;
  /** How a REGISTER is turned away when this P-CSCF is about to end. */
  readonly drainStatus: 305 | 503;
  /** P-Early-Media of provisional answers of UEs (RFC 5009); "": none. */
  readonly earlyMedia?: "" | "sendrecv" | "sendonly" | "recvonly" | "inactive";
  /** Where emergency requests go, in the order they are tried. Empty: there are no emergency calls over this network. */
  readonly ecscfs: readonly Uri[];
  /** Whose emergency requests are taken: TS 24.229 §5.2.10.1. */
  readonly emergencyFrom: "anyone" | "registered" | "emergencyRegistered";
  /** Resource-Priority of emergency requests (RFC 7135); "": none. */
  readonly emergencyPriority: string;
  /** Are there other members of the pool to go to? */
  readonly hasSiblings: () => boolean;
}

/** What a session timer asks of a request that goes on. */
export type TimedInterval = Extract<SessionInterval, { readonly kind: "timed" }>;

/** What the procedures of the P-CSCF need. */
export interface PcscfModules {
  readonly settings: PcscfSettings;
  readonly clock: Clock;
  readonly own: OwnUris;
  readonly tokens: FlowTokens;
  readonly flows: FlowTable;
  readonly calls: CallWatch;
  /** Ends the calls of who is deregistered; undefined: they go on. */
  readonly callRelease?: CallRelease | undefined;
  readonly serviceRoutes: ServiceRoutes;
  readonly sources: SourceLimiter;
  /** The same for emergency requests and registrations: whoever shares an address with a flood has a share of his own. */
  readonly emergencySources: SourceLimiter;
  readonly emergencyNumbers: EmergencyNumbers;
  readonly guesses: GuessLimiter;
  readonly newIcid: () => string;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ChargingTriggers | undefined;
  /** Subscriptions to registrations; undefined: there are none. */
  readonly registrationEvents?: RegistrationEvents | undefined;
  /** Media gateways between UEs of WebRTC and others; undefined: there are none. */
  readonly media?: MediaGateway | undefined;
  /** Session timers (RFC 4028); undefined: nothing is asked for or limited. */
  readonly sessionTimers?: SessionTimers | undefined;
  /** Which Resource-Priority is higher than which (RFC 4412). */
  readonly resourcePriorities: ResourcePriorities;
  readonly counters: PcscfCounters;
  /** Trusted side of the other member of our pool with that name; none for our own and for what is no member. */
  readonly siblingTargets: (host: string) => readonly Target[];
  /** Trusted sides of all other members of our pool. */
  readonly siblings: () => readonly Target[];
  /** Is a call being set up over this flow, by its UE or to it? Asked only when this P-CSCF is about to end. */
  readonly isInviting: (flowId: number, besides?: string) => boolean;
  /** May this address send to the trusted side? */
  readonly mayUseCore: (address: string) => boolean;
}
