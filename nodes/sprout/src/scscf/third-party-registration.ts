import { RegistrationType, SessionCase } from "@ims/ims";
import { parseUri, type RequestOriginator, type SipMessage } from "@ims/sip";
import { liveBindings, ordinaryBindings, type Registration } from "../store/registration.ts";
import { chargingAddresses } from "./charging.ts";
import type { Met } from "./filter-criteria.ts";
import type { RegisterExchange, RegistrationListener, ScscfModules } from "./modules.ts";
import { deregisterByNetwork } from "./network-deregistration.ts";
import { synthesisedRegister, thirdPartyRegister } from "./third-party-register.ts";
import { triggerRequest } from "./trigger-request.ts";

export interface ThirdPartyModules {
  readonly modules: () => ScscfModules;
  readonly originate: RequestOriginator["originate"];
}

/**
 * Tells application servers of registrations, re-registrations and deregistrations: TS 24.229 §5.4.1.7, TS 23.218 §5.2.4. The answer to
 * the UE does not wait for them.
 */
export class ThirdPartyRegistration implements RegistrationListener {
  readonly #modules: () => ScscfModules;
  readonly #originate: RequestOriginator["originate"];

  constructor({ modules, originate }: ThirdPartyModules) {
    this.#modules = modules;
    this.#originate = originate;
  }

  registered(registration: Registration, initial: boolean, exchange?: RegisterExchange): void {
    // A lapse of one contact of several, or a change of profile, is no registration.
    if (exchange === undefined) return;
    const type = initial ? RegistrationType.INITIAL : RegistrationType.RE_REGISTRATION;
    this.#tell(registration, type, exchange);
  }

  deregistered(_impu: string, registration: Registration, exchange?: RegisterExchange): void {
    if (registration.state !== "registered") return;
    this.#tell(registration, RegistrationType.DE_REGISTRATION, exchange);
  }

  /**
   * Another profile: who is named by it and was not is told as of a registration, who is named no more as of its end, who is named by both
   * only when what it was told has changed (TS 24.229 §5.4.1.7).
   */
  profileChanged(registration: Registration, before: Registration): void {
    if (registration.profile === before.profile || registration.state !== "registered") return;
    const identity = registration.profile.defaultIdentity?.identity.identity;
    const old = before.profile.defaultIdentity?.identity.identity;
    const was = this.#met(before, RegistrationType.INITIAL);
    const is = this.#met(registration, RegistrationType.INITIAL);
    const exchange = undefined;
    for (const met of is) {
      const same = was.find((other) => other.criteria.applicationServer.serverName === serverOf(met));
      const told = same?.criteria.applicationServer.serviceInfo;
      if (same !== undefined && old === identity && told === met.criteria.applicationServer.serviceInfo)
        continue;
      const type = same === undefined ? RegistrationType.INITIAL : RegistrationType.RE_REGISTRATION;
      if (identity !== undefined) this.#register(registration, { met, type, exchange, identity });
    }
    const type = RegistrationType.DE_REGISTRATION;
    for (const met of this.#met(before, type))
      if (old !== undefined && !is.some((other) => serverOf(other) === serverOf(met)))
        this.#register(before, { met, type, exchange, identity: old });
  }

  /** The criteria that a REGISTER of that kind would meet; there is none. */
  #met(registration: Registration, type: RegistrationType): readonly Met[] {
    const { filterCriteria, options, clock } = this.#modules();
    const member = registration.profile.defaultIdentity;
    const criteria = member && filterCriteria.of(member.profile);
    if (criteria === undefined) return [];
    const expires = secondsLeft(registration, clock.now());
    const [first] = ordinaryBindings(registration.bindings);
    const register =
      type === RegistrationType.DE_REGISTRATION
        ? synthesisedRegister(registration.impu, options.homeDomain)
        : synthesisedRegister(registration.impu, options.homeDomain, {
            contact: `<${first?.contact ?? ""}>`,
            expires,
          });
    return criteria.all(
      triggerRequest(register, {
        sessionCase: SessionCase.ORIGINATING_REGISTERED,
        registered: true,
        registrationType: type,
      }),
    );
  }

  #tell(registration: Registration, type: RegistrationType, exchange: RegisterExchange | undefined): void {
    const modules = this.#modules();
    const member = registration.profile.defaultIdentity;
    const criteria = member && modules.filterCriteria.of(member.profile);
    if (member === undefined || criteria === undefined) return;
    // Of a deregistration by timer or by the network there is no REGISTER: the triggers see the one that would have done it.
    const request = exchange?.request ?? synthesisedRegister(registration.impu, modules.options.homeDomain);
    const evaluated = triggerRequest(request, {
      sessionCase: SessionCase.ORIGINATING_REGISTERED,
      registered: true,
      registrationType: type,
    });
    for (const met of criteria.all(evaluated))
      this.#register(registration, { met, type, exchange, identity: member.identity.identity });
  }

  #register(
    registration: Registration,
    told: {
      readonly met: Met;
      readonly type: RegistrationType;
      readonly exchange: RegisterExchange | undefined;
      readonly identity: string;
    },
  ): void {
    const modules = this.#modules();
    const { counters, options, clock, nonce, applicationServers } = modules;
    const { applicationServer } = told.met.criteria;
    const { serverName } = applicationServer;
    if (serverName === options.dummyApplicationServer) return;
    const uri = parseUri(serverName);
    const fail = (): void => {
      counters.applicationServer("registrationFailed");
      if (applicationServer.defaultHandling !== "terminate" || told.type === RegistrationType.DE_REGISTRATION)
        return;
      counters.applicationServer("deregistering");
      // §5.4.1.7: the user cannot be served without it, so it is deregistered (§5.4.1.5).
      deregisterByNetwork(modules, registration.impu).catch(() => {});
    };
    if (uri === undefined) return fail();
    const register = thirdPartyRegister({
      applicationServer,
      identity: told.identity,
      scscfUri: options.scscfUri,
      homeDomain: options.homeDomain,
      expires: told.type === RegistrationType.DE_REGISTRATION ? 0 : secondsLeft(registration, clock.now()),
      chargingAddresses: chargingAddresses(registration.charging),
      exchange: told.exchange,
      tag: nonce(),
      callId: nonce(),
      icid: nonce(),
    });
    const onFinal = (response: SipMessage, local: boolean): void => {
      if (!local) applicationServers.heard(serverName);
      if (response.status < 300) counters.applicationServer("registered");
      else if (response.status === 408 || response.status >= 500) fail();
      else counters.applicationServer("registrationFailed");
    };
    this.#originate(register, { kind: "uri", side: options.side, uri }, { onFinal });
  }
}

function serverOf({ criteria }: Met): string {
  return criteria.applicationServer.serverName;
}

/** The longest contact counts: the user is registered until then. */
function secondsLeft(registration: Registration, now: number): number {
  let last = now;
  for (const { expiresAt } of ordinaryBindings(liveBindings(registration, now)))
    if (expiresAt > last) last = expiresAt;
  return Math.max(1, Math.round((last - now) / 1000));
}
