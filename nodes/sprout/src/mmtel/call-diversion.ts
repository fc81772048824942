import type { Branch, ServedUser, ServiceRequest } from "@ims/application-server";
import { type CommunicationDiversion, canonicalImpu, type ForwardTo, type Rule } from "@ims/ims";
import type { Timer } from "@ims/runtime";
import { parseNameAddr, parseUri, type SipMessage } from "@ims/sip";
import { applying, type Call, type CallEvent, speaksOf } from "./conditions.ts";
import { diversionHeader } from "./diversion-header.ts";
import { Cause, diversionHistory, diversions, withCause } from "./history-info.ts";
import type { DiversionModules } from "./modules.ts";

const CAUSES: Readonly<Record<CallEvent, Cause>> = {
  busy: Cause.BUSY,
  "no-answer": Cause.NO_REPLY,
  "not-registered": Cause.NOT_REGISTERED,
  "not-reachable": Cause.NOT_REACHABLE,
};

/** Who is diverted to by a 302 of the phone (TS 24.604 §4.5.2.6) is told nothing about, and may know everything. */
const DEFLECTION: Omit<ForwardTo, "target"> = {
  notifyCaller: true,
  revealIdentityToCaller: true,
  revealServedUserIdentityToCaller: true,
  revealIdentityToTarget: true,
  noReplySeconds: undefined,
};

export interface DivertedCall {
  readonly served: ServedUser;
  readonly service: CommunicationDiversion;
  readonly call: Omit<Call, "now">;
  /** What the user gets; copied, never edited. */
  readonly forwarded: SipMessage;
}

/**
 * Communication diversion of one INVITE: TS 24.604 §4.5.2.6. The user is alerted, unless a rule diverts at once; what becomes of
 * that may divert the call later. A 2xx of whoever answers first is the answer.
 */
export class CallDiversion {
  readonly #context: ServiceRequest;
  readonly #modules: DiversionModules;
  readonly #given: DivertedCall;
  #ringing: Branch | undefined;
  #alerting = false;
  #diverted = false;
  #timer: Timer | undefined;

  constructor(context: ServiceRequest, modules: DiversionModules, given: DivertedCall) {
    this.#context = context;
    this.#modules = modules;
    this.#given = given;
  }

  start(): void {
    const { served } = this.#given;
    const event = served.registered ? undefined : "not-registered";
    const rule = this.#ruleFor(event);
    if (rule === undefined) return this.#alert();
    const isForEvent = event !== undefined && rule.conditions.some(({ kind }) => kind === event);
    const cause = isForEvent ? CAUSES[event] : Cause.UNCONDITIONAL;
    if (!this.#divert(rule.action, cause, 0)) this.#context.respond(480);
  }

  /** Rules that lead back to the user are none: he is alerted. */
  #ruleFor(event: CallEvent | undefined): Rule<ForwardTo> | undefined {
    const { service, call, served } = this.#given;
    const now = this.#modules.clock.now();
    for (const rule of applying(service.rules, { ...call, now }, event))
      if (canonicalImpu(rule.action.target) !== served.impu) return rule;
    return undefined;
  }

  #alert(): void {
    this.#context.onUpstream((response) => {
      if (response.status >= 200) this.#timer?.cancel();
    });
    this.#ringing = this.#context.forward(this.#given.forwarded.clone(), {
      onResponse: (response) => this.#onAnswer(response),
    });
  }

  #onAnswer(response: SipMessage): "forward" | "absorb" {
    const { status } = response;
    // It answers although the call has gone elsewhere: RFC 3261 §16.7 step 5.
    if (this.#diverted) return status >= 200 && status < 300 ? "forward" : "absorb";
    if (status < 200) {
      if (status === 180 && !this.#alerting) this.#startTimer();
      return "forward";
    }
    if (status < 300 || this.#context.cancelled) return "forward";
    if (status < 400) {
      const target = contactOf(response);
      if (target === undefined) return "forward";
      const cause = this.#alerting ? Cause.DEFLECTION_WHILE_ALERTING : Cause.DEFLECTION_IMMEDIATE;
      return this.#divert({ ...DEFLECTION, target }, cause, status) ? "absorb" : this.#refuse(480);
    }
    const event = this.#eventOf(status);
    const rule = event && this.#ruleFor(event);
    if (event === undefined || rule === undefined) return "forward";
    return this.#divert(rule.action, CAUSES[event], status) ? "absorb" : "forward";
  }

  /** TS 24.604 §4.5.2.6. */
  #eventOf(status: number): CallEvent | undefined {
    if (status === 486 || status === 600) return "busy";
    const isSilence = status === 408 || status === 480 || status === 487;
    if (this.#alerting) return isSilence ? "no-answer" : undefined;
    return (isSilence && status !== 487) ||
      status === 430 ||
      status === 500 ||
      status === 503 ||
      status === 504
      ? "not-reachable"
      : undefined;
  }

  /** TS 24.604 §4.5.2.6: from the first 180 on. */
  #startTimer(): void {
    this.#alerting = true;
    const { service } = this.#given;
    if (!speaksOf(service.rules, "no-answer")) return;
    const own = this.#ruleFor("no-answer")?.action.noReplySeconds;
    const seconds = own ?? service.noReplySeconds ?? this.#modules.options.noReplySeconds;
    this.#timer = this.#modules.clock.setTimer(seconds * 1_000, () => this.#onNoReply());
  }

  #onNoReply(): void {
    if (this.#context.cancelled || this.#context.answered || this.#diverted) return;
    const rule = this.#ruleFor("no-answer");
    if (rule === undefined || !this.#divert(rule.action, Cause.NO_REPLY, 408)) return;
    this.#ringing?.cancel();
  }

  /** False: the call has been diverted too often. */
  #divert(action: ForwardTo, cause: Cause, status: number): boolean {
    const { options, counters } = this.#modules;
    const { forwarded } = this.#given;
    const { impu: servedUser } = this.#given.served;
    this.#context.decided("diversion", {
      servedUser,
      target: action.target,
      cause,
      after: status || undefined,
    });
    if (diversions(forwarded) >= options.maxDiversions) {
      counters.diversion("diversionLimit");
      return false;
    }
    this.#diverted = true;
    this.#timer?.cancel();
    counters.diversion("diverted");
    const target = withCause(action.target, cause);
    const entry = { target, status };
    if (action.notifyCaller) this.#notify(action, entry);
    const { served } = this.#given;
    if (action.notifyServedUser === true)
      this.#modules.notifyServedUser?.({
        ...{ request: this.#context.request, served, target: action.target, cause },
      });
    const diverted = forwarded.clone();
    if (options.diversionHeader === true)
      diverted.prepend(
        "Diversion",
        diversionHeader(forwarded.requestUri, cause, action.revealIdentityToTarget),
      );
    setHistory(
      diverted,
      diversionHistory(forwarded, {
        ...entry,
        revealsDiverting: action.revealIdentityToTarget,
        revealsTarget: true,
      }),
    );
    diverted.requestUri = target;
    this.#context.forward(diverted, {
      onResponse: (response) => {
        if (response.status < 300) return "forward";
        // What the phone that was called first still says counts no more.
        this.#context.relay(response);
        return "absorb";
      },
    });
    return true;
  }

  /** 181 to the caller: TS 24.604 §4.5.2.6. */
  #notify(action: ForwardTo, entry: { readonly target: string; readonly status: number }): void {
    const { revealIdentityToCaller: revealsTarget, revealServedUserIdentityToCaller: revealsDiverting } =
      action;
    this.#context.respond(181, {
      edit: (response) =>
        setHistory(
          response,
          diversionHistory(this.#given.forwarded, { ...entry, revealsDiverting, revealsTarget }),
        ),
    });
  }

  #refuse(status: number): "absorb" {
    this.#context.respond(status);
    return "absorb";
  }
}

function setHistory(message: SipMessage, entries: readonly string[]): void {
  message.remove("History-Info");
  for (const entry of entries) message.append("History-Info", entry);
}

/** The first contact of a 3xx that a call can go to. */
function contactOf(response: SipMessage): string | undefined {
  for (const contact of response.values("Contact")) {
    const uriText = parseNameAddr(contact)?.uriText;
    const scheme = uriText === undefined ? undefined : parseUri(uriText)?.scheme;
    if (uriText !== undefined && (scheme === "sip" || scheme === "sips" || scheme === "tel"))
      return uriText.replace(/\?.*$/, "");
  }
  return undefined;
}
