import {
  type ApplicationServer,
  assertedCallers,
  type InDialogAck,
  type InDialogRequest,
  type InitialRequest,
  type ServedUser,
  type ThirdPartyRegistration,
} from "@ims/application-server";
import { canonicalImpu, emergencyService, isPsapCallback, type Simservs } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { BARRABLE, barring } from "./call-barring.ts";
import { CallDiversion } from "./call-diversion.ts";
import { type Call, needsLocation } from "./conditions.ts";
import { NOWHERE } from "./home-network.ts";
import { hideInDialog, originatingIdentity, terminatingIdentity } from "./identity.ts";
import { locationIn } from "./locations.ts";
import type { DiversionModules, MmtelModules } from "./modules.ts";
import {
  type NotificationModules,
  notifyOfDiversion,
  remindOfDiversion,
} from "./served-user-notification.ts";

/** Multimedia telephony application server: TS 24.173, GSMA IR.92; on ISC, in the process of the S-CSCF or by itself. */
export class Mmtel implements ApplicationServer {
  readonly #modules: MmtelModules;
  readonly #notification: NotificationModules | undefined;
  readonly #diversion: DiversionModules;

  constructor(modules: MmtelModules) {
    const { options, clock, counters, originate } = modules;
    this.#modules = modules;
    const notification = originate && { uri: options.uri, side: options.side, originate };
    this.#notification = notification;
    this.#diversion = {
      options,
      clock,
      counters: { diversion: (outcome) => counters.mmtel(outcome) },
      ...(notification === undefined
        ? {}
        : {
            notifyServedUser: (diversion) => {
              counters.mmtel("servedUserNotified");
              notifyOfDiversion(diversion, notification);
            },
          }),
    };
  }

  onInitialRequest(context: InitialRequest): void | Promise<void> {
    const { request, served } = context;
    // TS 24.604 §4.5.2.6 and its like: nothing keeps an emergency call, nor a PSAP that calls back (RFC 7090).
    const urgent = emergencyService(request.requestUri) !== undefined;
    if (served === undefined || urgent || isPsapCallback(request.header("Priority")))
      return void context.forward();
    return this.#serve(context, served);
  }

  onInDialogRequest(context: InDialogRequest): void {
    const forwarded = context.copy();
    hideInDialog(context.request, forwarded, context);
    context.forward(forwarded);
  }

  onAck({ request, forwarded }: InDialogAck): void {
    hideInDialog(request, forwarded);
  }

  /** TS 24.229 §5.7.1.1. */
  async onRegistration({ request }: ThirdPartyRegistration): Promise<void> {
    await this.#modules.locations.note(request);
  }

  async #serve(context: InitialRequest, served: ServedUser): Promise<void> {
    const { simservs: reader, options, counters } = this.#modules;
    const reading = await reader.read(served.impu);
    if (context.answered) return;
    if (
      reading.kind === "unreadable" ||
      (reading.kind === "lastKnown" && options.unreadable !== "lastKnown")
    ) {
      if (options.unreadable === "continue") {
        counters.mmtel("withoutServices");
        return void context.forward();
      }
      counters.mmtel("refused");
      return context.respond(480, { reason: "Temporarily Unavailable (services)" });
    }
    counters.mmtel(reading.kind === "lastKnown" ? "lastKnown" : "served");
    if (served.sessionCase === "term") return this.#terminating(context, served, reading.simservs);
    return this.#originating(context, served, reading.simservs);
  }

  async #originating(context: InitialRequest, served: ServedUser, simservs: Simservs): Promise<void> {
    const { request } = context;
    const called = canonicalImpu(request.requestUri);
    const call = await this.#call(
      context,
      served,
      simservs.outgoingBarring,
      called === undefined ? [] : [called],
    );
    if (context.answered) return;
    if (BARRABLE.has(request.method) && barring(simservs.outgoingBarring, call) !== "allowed") {
      this.#modules.counters.mmtel("barred");
      context.decided("barring of outgoing calls", { servedUser: served.impu });
      return context.respond(603);
    }
    const forwarded = context.copy();
    // Who has diverted a call is neither its caller nor who is called.
    if (served.sessionCase === "orig-cdiv") return void context.forward(forwarded);
    if (request.method === "INVITE") this.#remind(request, served, simservs);
    originatingIdentity(context, forwarded, simservs, this.#modules);
    if (this.#isConference(request)) {
      this.#modules.counters.mmtel("conference");
      // TS 24.605 §5.3: the conference focus has the session from here on.
      forwarded
        .remove("Route")
        .remove("P-Served-User")
        .append("Route", `<${this.#modules.options.mrfUri};lr>`);
    }
    context.forward(forwarded);
  }

  #remind(request: SipMessage, { impu }: ServedUser, { communicationDiversion }: Simservs): void {
    if (communicationDiversion?.active !== true || this.#notification === undefined) return;
    const rule = communicationDiversion.rules.find(
      ({ action, conditions }) =>
        action.notifyServedUserOnOutboundCall === true &&
        !conditions.some(({ kind }) => kind === "rule-deactivated"),
    );
    if (rule === undefined) return;
    this.#modules.counters.mmtel("servedUserNotified");
    remindOfDiversion(request, impu, rule.action.target, this.#notification);
  }

  async #terminating(context: InitialRequest, served: ServedUser, simservs: Simservs): Promise<void> {
    const { request } = context;
    const { counters } = this.#modules;
    const callers = assertedCallers(request);
    const call = await this.#call(context, served, simservs.incomingBarring, callers);
    if (context.answered) return;
    const verdict = BARRABLE.has(request.method) ? barring(simservs.incomingBarring, call) : "allowed";
    if (verdict !== "allowed") {
      counters.mmtel(verdict === "anonymous" ? "anonymousRejected" : "barred");
      context.decided("barring of incoming calls", { servedUser: served.impu, verdict });
      return verdict === "anonymous"
        ? context.respond(433, { reason: "Anonymity Disallowed" })
        : context.respond(603);
    }
    const forwarded = context.copy();
    terminatingIdentity(context, forwarded, simservs);
    const service = simservs.communicationDiversion;
    if (request.method !== "INVITE" || service?.active !== true) return void context.forward(forwarded);
    new CallDiversion(context, this.#diversion, { served, service, call, forwarded }).start();
  }

  /** What the conditions of rules look at; where the user is only when one asks. */
  async #call(
    context: InitialRequest,
    served: ServedUser,
    service: Simservs["incomingBarring"],
    others: readonly string[],
  ): Promise<Call> {
    const { home, clock, locations } = this.#modules;
    const { request } = context;
    let location = NOWHERE;
    if (service?.active === true && needsLocation(service.rules)) {
      location = served.sessionCase === "orig" ? locationIn(request) : NOWHERE;
      if (location.visitedNetwork === "" && location.cell === "") location = await locations.of(served.impu);
    }
    return { request, others, location, home, now: clock.now() };
  }

  #isConference({ method, target, requestUri }: SipMessage): boolean {
    const { conferenceUris, mrfUri } = this.#modules.options;
    if (mrfUri === "" || method !== "INVITE" || target === undefined) return false;
    const canonical = canonicalImpu(requestUri);
    return conferenceUris.some(
      (each) => each.toLowerCase() === target.host || canonicalImpu(each) === canonical,
    );
  }
}
