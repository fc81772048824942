import { type ChargingRole, eventId, parsePChargingVector } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import { decimal, locateUri, type RequestContext, type SipMessage } from "@ims/sip";
import type { RegisterExchange, RegistrationListener, ScscfObserver } from "../scscf/modules.ts";
import { liveBindings, ordinaryBindings, type Registration } from "../store/registration.ts";
import type { AnalyticsEvent } from "./analytics-event.ts";
import { AnsweredCalls } from "./answered-calls.ts";

export interface ScscfAnalyticsModules {
  readonly clock: Clock;
  /** The machine, for people. */
  readonly nodeAddress: string;
  /** Takes what has happened; never throws. */
  readonly offer: (event: AnalyticsEvent) => void;
}

type Facts = Omit<AnalyticsEvent, "analytics" | "id" | "time" | "node" | "nodeAddress">;

const MAX_TEXT = 512;
const MAX_VALUES = 8;

/** Registrations, calls and subscriptions of served users, told as they happen; emergency registrations are not. */
export class ScscfAnalytics implements ScscfObserver, RegistrationListener {
  readonly #modules: ScscfAnalyticsModules;
  readonly #calls = new AnsweredCalls();
  /** The REGISTER that was answered last: its listeners are called next, in the same turn. */
  #answered: { readonly request: SipMessage; readonly took: number } | undefined;

  constructor(modules: ScscfAnalyticsModules) {
    this.#modules = modules;
  }

  registration(context: RequestContext): void {
    const { request } = context;
    const since = this.#stopwatch();
    context.onUpstream(({ status }) => {
      if (status < 200 || status === 401) return;
      const took = since();
      this.#answered = { request, took };
      if (status < 300) return;
      const impu = uriOf(request.header("To") ?? "");
      this.#tell({ event: "registrationFailed", impu, status, took, ...dialogFacts(request) }, request);
    });
  }

  registered(registration: Registration, initial: boolean, exchange?: RegisterExchange): void {
    // One contact of several has lapsed: no registration.
    if (exchange === undefined) return;
    this.#ofSet(initial ? "registered" : "reRegistered", registration, exchange, {});
  }

  deregistered(
    _impu: string,
    registration: Registration,
    exchange?: RegisterExchange,
    by?: "expiry" | "network",
  ): void {
    if (registration.state !== "registered") return;
    this.#ofSet("deregistered", { ...registration, bindings: [] }, exchange, {
      impi: registration.bindings[0]?.impi,
      by: by ?? "user",
    });
  }

  initial(context: RequestContext, role: ChargingRole): void {
    const { method } = context.request;
    if (method === "INVITE") this.#call(context, role);
    else if (method === "SUBSCRIBE") this.#subscription(context, "subscribed", role);
  }

  inDialog(context: RequestContext): void {
    const { request } = context;
    if (request.method === "SUBSCRIBE") return this.#subscription(context, "resubscribed");
    if (request.method !== "BYE") return;
    const answeredAt = this.#calls.ended(request);
    const duration =
      answeredAt === undefined ? undefined : roundedSeconds(this.#modules.clock.monotonic() - answeredAt);
    this.#tell({ event: "callEnded", duration, reason: reasons(request), ...dialogFacts(request) }, request);
  }

  #call(context: RequestContext, role: ChargingRole): void {
    const { request } = context;
    const since = this.#stopwatch();
    let ringing: number | undefined;
    let done = false;
    context.onUpstream((response) => {
      const { status } = response;
      if (done || status === 401 || status === 407) return;
      if (status === 180) ringing ??= since();
      if (status < 200) return;
      done = true;
      const answered = status < 300;
      if (answered) this.#calls.answered(response, this.#modules.clock.monotonic());
      const facts = { ...partyFacts(request), ...dialogFacts(request) };
      const reason = answered ? undefined : (reasons(response) ?? reasons(request));
      const event = answered ? "callAnswered" : "callFailed";
      this.#tell({ event, role, ...facts, status, reason, ringing, took: since() }, request);
    });
  }

  #subscription(context: RequestContext, begun: "subscribed" | "resubscribed", role?: ChargingRole): void {
    const { request } = context;
    const since = this.#stopwatch();
    let done = false;
    context.onUpstream((response) => {
      const { status } = response;
      if (done || status < 200 || status === 401 || status === 407) return;
      done = true;
      const granted = response.header("Expires") ?? request.header("Expires") ?? "";
      const expires = status < 300 ? decimal(granted.trim()) : undefined;
      const ended = expires === 0 ? "unsubscribed" : begun;
      this.#tell(
        {
          event: status < 300 ? ended : "subscriptionFailed",
          role,
          ...partyFacts(request),
          package: clip((request.header("Event") ?? "").split(";")[0]?.trim() ?? ""),
          ...dialogFacts(request),
          expires,
          status,
          took: since(),
        },
        request,
      );
    });
  }

  #ofSet(
    event: AnalyticsEvent["event"],
    registration: Registration,
    exchange: RegisterExchange | undefined,
    more: Pick<Facts, "impi" | "by">,
  ): void {
    const now = this.#modules.clock.now();
    const bindings = ordinaryBindings(liveBindings(registration, now));
    const latest = bindings.reduce((last, { expiresAt }) => Math.max(last, expiresAt), now);
    const request = exchange?.request;
    const isOf = request !== undefined && this.#answered?.request === request;
    const facts: Facts = {
      event,
      impu: registration.impu,
      impi: bindings[0]?.impi,
      contacts: bindings.length,
      expires: Math.round((latest - now) / 1000),
      ...(request === undefined ? {} : { status: 200, ...dialogFacts(request) }),
      took: isOf ? this.#answered?.took : undefined,
      ...more,
    };
    this.#tell(facts, request, registration);
  }

  /** `request` names the event; without one the set does, at that time. */
  #tell(facts: Facts, request: SipMessage | undefined, registration?: Registration): void {
    const { clock, nodeAddress, offer } = this.#modules;
    const time = clock.now();
    const identity =
      request === undefined
        ? [registration?.impu ?? "", String(Math.round(time / 1000))]
        : [request.callId, request.fromTag, request.toTag, `${request.cseqNumber} ${request.method}`];
    // A call that is diverted has several originating users.
    const of = facts.role === undefined ? "" : `${facts.role} ${facts.called ?? ""}`;
    offer({
      analytics: 1,
      id: eventId(facts.event, of, ...identity),
      time: new Date(time).toISOString(),
      node: "S-CSCF",
      nodeAddress,
      ...facts,
    });
  }

  #stopwatch(): () => number {
    const { clock } = this.#modules;
    const begun = clock.monotonic();
    return () => roundedSeconds(clock.monotonic() - begun);
  }
}

function dialogFacts(request: SipMessage): Pick<Facts, "icid" | "callId"> {
  const icid = parsePChargingVector(request.header("P-Charging-Vector") ?? "")?.icid;
  return { icid: icid === undefined ? undefined : clip(icid), callId: clip(request.callId) };
}

function partyFacts(request: SipMessage): Pick<Facts, "calling" | "called"> {
  const calling = request.values("P-Asserted-Identity").slice(0, MAX_VALUES);
  return { calling: calling.map(uriOf), called: clip(request.requestUri) };
}

function reasons(message: SipMessage): string[] | undefined {
  const values = message.values("Reason");
  return values.length === 0 ? undefined : values.slice(0, MAX_VALUES).map(clip);
}

function uriOf(value: string): string {
  const located = locateUri(value);
  return clip(located === undefined ? value : value.slice(located.start, located.end));
}

/** As text, and ours from here on: a piece of a message that waits to be written would keep all of it. */
function clip(text: string): string {
  return Buffer.from(text.slice(0, MAX_TEXT), "latin1").toString("utf8");
}

/** To the millisecond. */
function roundedSeconds(ms: number): number {
  return Math.max(0, Math.round(ms)) / 1000;
}
