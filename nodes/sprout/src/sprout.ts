import { createSecretKey, type KeyObject, randomBytes, randomUUID } from "node:crypto";
import type { ChargingTriggers } from "@ims/ims";
import type { Clock, MetricsRegister, Resource } from "@ims/runtime";
import { OwnUris, type RequestOriginator, type SessionTimers } from "@ims/sip";
import type { KvStore } from "@ims/store";
import type { Cx, CxRequests } from "./cx/cx.ts";
import { Challenged } from "./icscf/challenged.ts";
import { Icscf } from "./icscf/icscf.ts";
import { type ConfiguredScscf, ScscfSelection } from "./icscf/scscf-selection.ts";
import { registrationsResource } from "./management/registrations.ts";
import { getMetrics, type Metrics } from "./metrics.ts";
import { profileReader } from "./profile/profile-reader.ts";
import { Gruus } from "./routing/gruu.ts";
import type { Numbers } from "./routing/numbers.ts";
import { ApplicationServers } from "./scscf/application-servers.ts";
import { ChallengeWatch } from "./scscf/challenge-watch.ts";
import { ScscfCharging } from "./scscf/charging-events.ts";
import { removeLapsed } from "./scscf/deregistration.ts";
import { ExpiryWheel } from "./scscf/expiry.ts";
import { ExpiryScan } from "./scscf/expiry-scan.ts";
import { FilterCriteria, type OperatorCriteria } from "./scscf/filter-criteria.ts";
import { LapseClaims } from "./scscf/lapse-claim.ts";
import { ScscfMeasurement } from "./scscf/measurement.ts";
import type { RegistrationListener, ScscfModules, ScscfObserver, ScscfOptions } from "./scscf/modules.ts";
import { networkInitiated } from "./scscf/network-initiated.ts";
import { nonceGenerator } from "./scscf/nonces.ts";
import { Notifier } from "./scscf/notifier.ts";
import { OdiTokens } from "./scscf/odi-token.ts";
import { Scscf } from "./scscf/scscf.ts";
import { ShardLeases } from "./scscf/shard-leases.ts";
import { ThirdPartyRegistration } from "./scscf/third-party-registration.ts";
import type { StoreProblems } from "./store/copies.ts";
import type { DurableModules } from "./store/durable-copy.ts";
import { ImpiStore } from "./store/impi-store.ts";
import { liveBindings } from "./store/registration.ts";
import { RegistrationStore } from "./store/registration-store.ts";

/** What the functional entities of sprout are made of: no socket among it. */
export interface SproutParts {
  readonly options: ScscfOptions & {
    readonly scscfTimeoutMs: number;
    readonly reuseAuthorization: boolean;
    readonly localLookup: boolean;
    readonly profileCache: number;
    /** "": a new key for this process. */
    readonly gruuKey: string;
  };
  /** S-CSCFs to select from. */
  readonly scscfs: readonly ConfiguredScscf[];
  readonly cx: Cx;
  /** Registrations: the copy that all members work on. */
  readonly store: KvStore;
  /** Challenges; default: the same store. */
  readonly challenges?: KvStore;
  /** A copy of registrations that outlives the store, with a calendar that outlives all members. */
  readonly durable?: DurableModules & {
    /** Who looks after which part of the calendar. */
    readonly leases: KvStore;
    /** How far that has come. */
    readonly cursors: KvStore;
  };
  /** Name of this process, never used again by another; default: drawn at random. */
  readonly member?: string;
  readonly clock: Clock;
  readonly register: MetricsRegister;
  readonly listeners?: readonly RegistrationListener[];
  /** ENUM and dial plan; default: neither. */
  readonly numbers?: Numbers | undefined;
  /** Session timers; default: nothing is asked for or limited. */
  readonly sessionTimers?: SessionTimers | undefined;
  /** Who takes charging events of the S-CSCF; default: nobody. */
  readonly charging?: ChargingTriggers | undefined;
  /** The same of the I-CSCF. */
  readonly icscfCharging?: ChargingTriggers | undefined;
  /** Who writes down what happens, for analytics; default: nobody. */
  readonly analytics?: (ScscfObserver & RegistrationListener) | undefined;
  /** Sends requests of our own: third-party REGISTER, polls of application servers. */
  readonly originate: RequestOriginator["originate"];
  /** Shared and fallback filter criteria. */
  readonly operatorCriteria?: OperatorCriteria;
  /** Told when an application server goes away or is back. */
  readonly onApplicationServer?: (serverName: string, state: "away" | "back") => void;
  /** Told of one that cannot be reached or refuses to work, once a minute. */
  readonly onApplicationServerFailure?: (serverName: string, status: number) => void;
  /** [0, 1) */
  readonly random?: () => number;
}

export interface SproutEntities {
  readonly icscf: Icscf;
  readonly scscf: Scscf;
  /** For RTR and PPR. */
  readonly cxRequests: CxRequests;
  /** For operators. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly metrics: Metrics;
  /** Other shared and fallback filter criteria from now on. */
  replaceCriteria(criteria: OperatorCriteria): void;
  /** Application servers that do not answer. */
  serversAway(): readonly string[];
  /** What is wrong with the stores. */
  storeProblems(): StoreProblems;
  /** Begins to look after the calendar. */
  start(): void;
  /** Resolves when others may look after what this process did. */
  stop(): Promise<void>;
}

/** I-CSCF and S-CSCF with their state, ready to be put on a ProxyCore. */
export function createEntities(parts: SproutParts): SproutEntities {
  const { options, cx, store, clock, register } = parts;
  const readProfile = profileReader(options.profileCache);
  const poolKey = gruuKeyOf(options.gruuKey);
  const gruus = new Gruus(poolKey, options.homeDomain);
  const ownScscf = new OwnUris([options.scscfUri]);
  const { durable, member = randomUUID() } = parts;
  const registrations = new RegistrationStore({
    store,
    clock,
    readProfile,
    ...(durable === undefined ? { onWrite: (impu, at) => expiry.schedule(impu, at) } : { durable }),
    counters: { copy: (outcome) => metrics.store.copy(outcome), bad: (kind) => metrics.store.bad(kind) },
  });
  const challenges = new ImpiStore({ store: parts.challenges ?? store, clock });
  const challengeWatch = new ChallengeWatch({
    cx,
    clock,
    challenges,
    registrations,
    serverName: options.scscfUri,
    timedOut: () => measurement.authenticationTimedOut(),
  });
  const onDue = (impu: string): Promise<number | undefined> => removeLapsed(scscfModules, impu);
  const leases = durable && new ShardLeases({ store: durable.leases, clock, member });
  const expiry: ExpiryWheel | ExpiryScan =
    durable === undefined || leases === undefined
      ? new ExpiryWheel({ clock, onDue })
      : new ExpiryScan({ ...durable, leases, clock, onDue });
  const metrics = getMetrics(register, {
    pendingChallenges: () => challengeWatch.size,
    watchedSets: () => expiry.size,
    unsettledSets: () => registrations.waiting,
    calendarShards: () => leases?.held().length ?? 0,
    serversAway: () => applicationServers.away.length,
    calendarLag: () => (expiry instanceof ExpiryScan ? expiry.lag : 0),
  });
  const measurement = new ScscfMeasurement(register, clock);
  const nonce = nonceGenerator();
  const filterCriteria = new FilterCriteria(parts.operatorCriteria);
  const applicationServers = new ApplicationServers({
    clock,
    originate: parts.originate,
    identifiers: nonce,
    scscfUri: options.scscfUri,
    side: options.side,
    ...(parts.onApplicationServer === undefined ? {} : { onChange: parts.onApplicationServer }),
    ...(parts.onApplicationServerFailure === undefined
      ? {}
      : { onFailure: parts.onApplicationServerFailure }),
  });
  const thirdParty = new ThirdPartyRegistration({ modules: () => scscfModules, originate: parts.originate });
  const scscfModules: ScscfModules = {
    options,
    cx,
    clock,
    registrations,
    challenges,
    challengeWatch,
    claims: new LapseClaims({ store, member }),
    readProfile,
    gruus,
    counters: metrics.scscf,
    measurement,
    charging: parts.charging && new ScscfCharging(parts.charging),
    analytics: parts.analytics,
    listeners: [
      ...(parts.listeners ?? []),
      ...(parts.analytics === undefined ? [] : [parts.analytics]),
      thirdParty,
    ],
    filterCriteria,
    applicationServers,
    odi: new OdiTokens(poolKey, options.routedUri ?? options.scscfUri),
    notifier: new Notifier({
      registrations,
      clock,
      gruus,
      originate: parts.originate,
      scscfUri: options.routedUri ?? options.scscfUri,
      homeDomain: options.homeDomain,
      side: options.side,
      counters: metrics.notifier,
    }),
    numbers: parts.numbers,
    sessionTimers: parts.sessionTimers,
    own: ownScscf,
    nonce,
  };
  return {
    scscf: new Scscf(scscfModules),
    icscf: new Icscf({
      options: {
        homeDomain: options.homeDomain,
        bgcfUri: options.bgcfUri ?? "",
        ecscfUri: options.ecscfUri ?? "",
        side: options.side,
        scscfTimeoutMs: options.scscfTimeoutMs,
        reuseAuthorization: options.reuseAuthorization,
      },
      cx,
      challenged: new Challenged(clock),
      servedHere: async (impu) => {
        if (!options.localLookup) return undefined;
        const found = await registrations.find(impu);
        const live = found.kind === "found" && liveBindings(found.registration, clock.now()).length > 0;
        return live ? options.scscfUri : undefined;
      },
      selection: new ScscfSelection(parts.scscfs, parts.random ?? Math.random),
      own: new OwnUris([options.icscfUri]),
      gruus,
      charging: parts.icscfCharging,
      counters: metrics.icscf,
    }),
    cxRequests: networkInitiated(scscfModules),
    resources: new Map([
      ["registrations", registrationsResource({ registrations, clock, serverName: options.scscfUri })],
    ]),
    metrics,
    replaceCriteria: (criteria) => filterCriteria.replace(criteria),
    serversAway: () => applicationServers.away,
    storeProblems: () => registrations.problems,
    start: () => {
      registrations.start();
      leases?.start();
      if (expiry instanceof ExpiryScan) expiry.start();
    },
    stop: async () => {
      expiry.stop();
      challengeWatch.stop();
      applicationServers.stop();
      registrations.stop();
      await leases?.stop();
    },
  };
}

function gruuKeyOf(hex: string): KeyObject {
  return createSecretKey(hex === "" ? randomBytes(16) : Buffer.from(hex, "hex"));
}
