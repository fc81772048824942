import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { Clock, MetricsRegister } from "@ims/runtime";
import type { KvStore } from "@ims/store";
import type { Cx, CxRequests } from "./cx/cx.ts";
import { Challenged } from "./icscf/challenged.ts";
import { Icscf } from "./icscf/icscf.ts";
import { type ConfiguredScscf, ScscfSelection } from "./icscf/scscf-selection.ts";
import { getMetrics, type Metrics } from "./metrics.ts";
import { profileReader } from "./profile/profile-reader.ts";
import { Gruus } from "./routing/gruu.ts";
import { OwnUris } from "./routing/own-route.ts";
import { ChallengeWatch } from "./scscf/challenge-watch.ts";
import { networkInitiated, removeLapsed } from "./scscf/deregistration.ts";
import { ExpiryWheel } from "./scscf/expiry.ts";
import type { RegistrationListener, ScscfModules, ScscfOptions } from "./scscf/modules.ts";
import { nonceGenerator } from "./scscf/nonces.ts";
import { Scscf } from "./scscf/scscf.ts";
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
  readonly store: KvStore;
  readonly clock: Clock;
  readonly register: MetricsRegister;
  readonly listeners?: readonly RegistrationListener[];
  /** [0, 1) */
  readonly random?: () => number;
}

export interface SproutEntities {
  readonly icscf: Icscf;
  readonly scscf: Scscf;
  /** For RTR and PPR. */
  readonly cxRequests: CxRequests;
  readonly metrics: Metrics;
  stop(): void;
}

/** I-CSCF and S-CSCF with their state, ready to be put on a ProxyCore. */
export function createEntities(parts: SproutParts): SproutEntities {
  const { options, cx, store, clock, register } = parts;
  const readProfile = profileReader(options.profileCache);
  const gruus = new Gruus(gruuKeyOf(options.gruuKey), options.homeDomain);
  const ownScscf = new OwnUris([options.scscfUri]);
  const registrations = new RegistrationStore({
    store,
    clock,
    readProfile,
    onWrite: (impu, at) => expiry.schedule(impu, at),
  });
  const challenges = new ImpiStore({ store, clock });
  const challengeWatch = new ChallengeWatch({
    cx,
    clock,
    challenges,
    registrations,
    serverName: options.scscfUri,
  });
  const expiry: ExpiryWheel = new ExpiryWheel({
    clock,
    onDue: (impu) => removeLapsed(scscfModules, impu),
  });
  const metrics = getMetrics(register, {
    pendingChallenges: () => challengeWatch.size,
    watchedSets: () => expiry.size,
  });
  const scscfModules: ScscfModules = {
    options,
    cx,
    clock,
    registrations,
    challenges,
    challengeWatch,
    readProfile,
    gruus,
    counters: metrics.scscf,
    listeners: parts.listeners ?? [],
    own: ownScscf,
    nonce: nonceGenerator(),
  };
  return {
    scscf: new Scscf(scscfModules),
    icscf: new Icscf({
      options: {
        homeDomain: options.homeDomain,
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
      counters: metrics.icscf,
    }),
    cxRequests: networkInitiated(scscfModules),
    metrics,
    stop: () => {
      expiry.stop();
      challengeWatch.stop();
    },
  };
}

function gruuKeyOf(hex: string): KeyObject {
  return createSecretKey(hex === "" ? randomBytes(16) : Buffer.from(hex, "hex"));
}
