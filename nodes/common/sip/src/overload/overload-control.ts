import {
  AdmissionControl,
  type Clock,
  type LoadMonitor,
  type Logger,
  loadMonitor,
  type MetricsRegister,
} from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";
import { parameterAt } from "../message/parameters.ts";
import { parseHostPort } from "../message/uri.ts";
import type { ResourcePriorities } from "../resource-priority/resource-priorities.ts";
import type { Flow, ListeningPoint, Target, TransportHandler } from "../transport/transport.ts";
import { LossFeedback } from "./loss-feedback.ts";
import { lossReport, NO_REDUCTION, OFFER, offersLoss, withReport } from "./loss-parameters.ts";
import { LossReduction } from "./loss-reduction.ts";
import { QueueProbe } from "./queue-probe.ts";
import { Refusals } from "./refusal.ts";
import { classOf, classOfStart, type RequestClass } from "./request-class.ts";
import { type RequestHead, requestHead } from "./request-head.ts";

/** How overload control treats a side. */
export interface OverloadSide {
  /** Inside the trust domain (RFC 7339 §11: only there parameters are believed). */
  readonly trusted: boolean;
  /** Requests come from a node that has already spent its work on them: new ones are shed last. */
  readonly inner?: boolean;
  /** As a client: offer overload control in our Via, and keep back what servers do not want. */
  readonly offers?: boolean;
  /** As a server: report to clients that offer it. */
  readonly reports?: boolean;
}

export interface OverloadOptions {
  readonly sides: Readonly<Record<string, OverloadSide>>;
  readonly clock: Clock;
  /** How long a message may wait before new work is shed, ms; 0: never. */
  readonly targetMs: number;
  /** Requests a second always admitted. */
  readonly floor: number;
  /** How long REGISTER may wait for its answer before new ones are shed, ms; 0 or absent: no matter. */
  readonly answerTargetMs?: number;
  readonly random?: () => number;
  /** Which Resource-Priority is never shed (RFC 4412); default: any of the trust domain. */
  readonly resourcePriorities?: ResourcePriorities;
  /** Outside the trust domain: has this Resource-Priority been granted to who is registered over the flow? */
  readonly mayClaimPriority?: (flow: Flow, resourcePriority: string) => boolean;
  /** Is a Request-URI an emergency number here? Default: only service URNs (RFC 5031) are emergencies. */
  readonly isEmergency?: ((requestUri: string) => boolean) | undefined;
  readonly log?: Pick<Logger, "info">;
  readonly register?: MetricsRegister;
  /** `<prefix>_overload_...` */
  readonly metricsPrefix?: string;
}

/** Retry-After of UEs, seconds: from, and to that much more for each time the offered load is what can be served. */
const RETRY_FROM = 5;
const RETRY_SPREAD = 15;
const RETRY_LONGEST = 120;

/** Limits come and go within seconds while there is too much; for an operator that is one overload, ms. */
const OVER_AFTER_MS = 30_000;

function orNever(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

/** Is there a server transaction for a Via with this branch and sent-by? A retransmission of what was admitted is never refused. */
export type IsKnown = (
  via: { readonly branch: string; readonly host: string; readonly port: number | undefined },
  method: string,
  side: string,
) => boolean;

/** Overload control of one process: admission by measured delay (the server at its own door) and RFC 7339 (between servers). */
export class OverloadControl {
  readonly #options: OverloadOptions;
  readonly #queue: AdmissionControl;
  readonly #answers: AdmissionControl;
  readonly #feedback: LossFeedback;
  readonly #reduction: LossReduction;
  readonly #refusals: Refusals;
  readonly #probe: QueueProbe;
  readonly #monitor: LoadMonitor;
  readonly #random: () => number;
  /** Keys of servers, by flow: made once. */
  readonly #servers = new WeakMap<Flow, string>();
  #active = false;
  #exempt = 0;
  #sheddable = 0;
  #refused = 0;
  #refusedTotal = 0;
  #oversubscription = 1;
  #longestAnswerMs = 0;
  /** Monotonic ms; when work was limited last, and how much had been refused before that began. */
  #limitedAt = Number.NEGATIVE_INFINITY;
  #limitedBy = "";
  #refusedBefore = 0;

  constructor(options: OverloadOptions) {
    const { clock, targetMs, floor, answerTargetMs = 0 } = options;
    const now = (): number => clock.monotonic();
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#queue = new AdmissionControl({ targetMs: orNever(targetMs), floor, now });
    this.#answers = new AdmissionControl({
      targetMs: orNever(answerTargetMs),
      floor,
      now,
      capacity: "answered",
    });
    this.#feedback = new LossFeedback(() => clock.now());
    this.#reduction = new LossReduction({ now, random: this.#random });
    this.#refusals = new Refusals(this.#random);
    this.#probe = new QueueProbe(clock);
    this.#monitor = loadMonitor({
      clock,
      queues: [this.#probe.delay],
      onSample: ({ delayMs, elapsedMs }) => this.measured(delayMs, elapsedMs),
    });
    this.#registerMetrics();
  }

  /** Is anything to be asked before a request is taken? Read for every message, so nothing but a field. */
  get active(): boolean {
    return this.#active;
  }

  /** Why an operator should look: work is limited now, or was a moment ago. */
  get problem(): string | undefined {
    if (this.#options.clock.monotonic() - this.#limitedAt > OVER_AFTER_MS) return undefined;
    return `limited by ${this.#limitedBy}, ${this.#refusedTotal - this.#refusedBefore} requests refused`;
  }

  /** Another target delay. False: it is not measured, because it was 0 at the start. */
  retarget(targetMs: number): boolean {
    if (this.#options.targetMs === 0) return targetMs === 0;
    this.#queue.retarget({ targetMs: orNever(targetMs) });
    return true;
  }

  /** Other requests a second that are always admitted. */
  refloor(floor: number): void {
    this.#queue.retarget({ floor });
    this.#answers.retarget({ floor });
  }

  /** Takes the measuring messages out of what arrives. */
  watch(handler: TransportHandler): TransportHandler {
    return this.#options.targetMs === 0 ? handler : this.#probe.watch(handler);
  }

  /** Begins to measure, in the queue of a UDP listener; `shared`: other processes listen there too. */
  start(point: ListeningPoint, shared = false): void {
    if (this.#options.targetMs === 0) return;
    this.#probe.open(point, shared);
    void this.#monitor.start();
  }

  stop(): void {
    void this.#monitor.stop();
    this.#probe.close();
  }

  /** One measurement; the load monitor calls it. */
  measured(delayMs: number, elapsedMs: number): void {
    this.#steer("queue", this.#queue, delayMs, elapsedMs);
    this.#steer("answers to REGISTER", this.#answers, this.#longestAnswerMs, elapsedMs);
    this.#longestAnswerMs = 0;
    this.#reduction.expire();
    const taken = this.#sheddable - this.#refused;
    if (this.#sheddable > 0) this.#oversubscription = Math.min(8, this.#sheddable / Math.max(1, taken));
    this.#feedback.measured({
      sheddable: this.#sheddable,
      exempt: this.#exempt,
      rate: this.#queue.bound,
      elapsedMs,
    });
    this.#sheddable = 0;
    this.#exempt = 0;
    this.#refused = 0;
    this.#assess();
  }

  /** A request was taken and gets a transaction. Returns what to call with its final response, for those whose answer is waited for. */
  taken(request: SipMessage): (() => void) | undefined {
    // What is inside dialogs is no new work: a few calls and registrations do not reach the floor by it.
    if (request.toTag === "") this.#queue.served();
    if (request.method !== "REGISTER" || (this.#options.answerTargetMs ?? 0) === 0) return undefined;
    const { clock } = this.#options;
    const began = clock.monotonic();
    return () => {
      this.#answers.served();
      this.#longestAnswerMs = Math.max(this.#longestAnswerMs, clock.monotonic() - began);
    };
  }

  /**
   * While active: the refusal to send instead of taking this message, "" when it is only to be dropped, undefined when it is
   * to be taken. Reads the text where it must and keeps nothing.
   */
  refusal(text: string, flow: Flow, isKnown: IsKnown): string | undefined {
    const side = this.#options.sides[flow.side];
    if (side === undefined) return undefined;
    if (classOfStart(text) === "exempt") {
      if (this.#refusals.isAck(text)) return "";
      this.#exempt++;
      return undefined;
    }
    const head = requestHead(text);
    if (head === undefined) return undefined;
    const { resourcePriorities: priorities, mayClaimPriority, isEmergency } = this.#options;
    const kind = classOf(head, {
      trusted: side.trusted,
      inner: side.inner === true,
      registered: flow.attachment !== undefined,
      priorities,
      mayClaim: mayClaimPriority && ((resourcePriority) => mayClaimPriority(flow, resourcePriority)),
      isEmergency,
    });
    if (kind === "exempt") {
      this.#exempt++;
      return undefined;
    }
    this.#sheddable++;
    if (this.#admits(kind, head.method, flow.waitedMs)) return undefined;
    if (isInProgress(head, flow.side, isKnown)) return undefined;
    this.#refused++;
    this.#refusedTotal++;
    return this.#refusalText(head, flow, side);
  }

  /** Does a Resource-Priority of the trust domain count here (RFC 4412)? */
  isPriority(resourcePriority: string): boolean {
    return this.#options.resourcePriorities?.isExempt(resourcePriority) ?? true;
  }

  #admits(kind: RequestClass, method: string, waitedMs: number | undefined): boolean {
    // What a server further on would not take is not taken here: refused before it has cost anything.
    if (kind === "normal" && this.#reduction.common > 0 && this.#random() < this.#reduction.common)
      return false;
    if (!this.#queue.admit(kind, waitedMs)) return false;
    return method !== "REGISTER" || this.#answers.admit(kind);
  }

  /** RFC 7339 §5.10, §5.10.2: no Retry-After between servers, it would stop all they send. UEs are told a time, each another. */
  #refusalText(head: RequestHead, flow: Flow, side: OverloadSide): string {
    if (!side.trusted) return this.#refusals.text(head, flow, { retryAfter: this.retryAfter() });
    const reports = side.reports === true;
    return this.#refusals.text(head, flow, {
      via: (value) => (reports && offersLoss(value) ? withReport(value, this.#feedback.report) : value),
    });
  }

  /** Seconds after which a UE may try again: RFC 3261 §20.33. */
  retryAfter(): number {
    const longest = RETRY_FROM + RETRY_SPREAD * this.#oversubscription;
    return this.#refusals.retryAfter(RETRY_FROM, Math.min(RETRY_LONGEST, Math.round(longest)));
  }

  // ---- RFC 7339 as a server ----

  /** A response goes upstream: with the report for a client that offered it (RFC 7339 §5.2), or the time after which a UE may come again. */
  leaving(response: SipMessage, sideName: string): void {
    const side = this.#options.sides[sideName];
    if (response.status === 503 && side?.trusted === false && !response.has("Retry-After"))
      response.append("Retry-After", String(this.retryAfter()));
    if (side?.reports !== true) return;
    const via = response.top("Via");
    if (via?.includes(";oc") && offersLoss(via))
      response.replaceTop("Via", withReport(via, this.#feedback.report));
  }

  // ---- RFC 7339 as a client ----

  /** What our Via on this side carries (RFC 7339 §5.1). */
  offer(side: string): string {
    return this.#options.sides[side]?.offers === true ? OFFER : "";
  }

  /** A response came to a request of ours (RFC 7339 §5.4). */
  heard(response: SipMessage, flow: Flow): void {
    if (this.#options.sides[flow.side]?.offers !== true) return;
    const via = response.top("Via");
    // Nothing is kept back and nothing shall be: what nearly every response says.
    if (via === undefined || (!this.#reduction.active && via.includes(NO_REDUCTION))) return;
    const report = lossReport(via);
    if (report === undefined) return;
    let server = this.#servers.get(flow);
    if (server === undefined) {
      server = `${flow.remoteAddress}:${flow.remotePort}`;
      this.#servers.set(flow, server);
    }
    this.#reduction.report(server, report);
    this.#assess();
  }

  /** The targets that may get this request, in their order; none: nobody wants it now (RFC 7339 §5.5, §5.10). */
  allowed(request: SipMessage, targets: readonly Target[], side: string): readonly Target[] {
    if (!this.#reduction.active || this.#options.sides[side]?.offers !== true) return targets;
    const kind = classOf(headOf(request), {
      trusted: true,
      inner: false,
      registered: false,
      priorities: this.#options.resourcePriorities,
    });
    if (kind === "exempt") return targets;
    const already = kind === "normal" ? this.#reduction.common : 0;
    return targets.filter(({ address, port }) => this.#reduction.admits(`${address}:${port}`, kind, already));
  }

  /** A line when it begins and when it ends: an operator who finds 503 shall find the reason. */
  #steer(what: string, control: AdmissionControl, delayMs: number, elapsedMs: number): void {
    const before = control.limiting;
    control.measured(delayMs, elapsedMs);
    if (control.limiting) this.#limited(what);
    if (before === control.limiting) return;
    const fields = { what, delayMs: Math.round(delayMs), refused: this.#refusedTotal };
    if (before) this.#options.log?.info(fields, "overload is over");
    else
      this.#options.log?.info({ ...fields, rate: Math.round(control.rate) }, "overload: new work is limited");
  }

  #limited(what: string): void {
    if (this.problem === undefined) this.#refusedBefore = this.#refusedTotal;
    this.#limitedAt = this.#options.clock.monotonic();
    this.#limitedBy = what;
  }

  #assess(): void {
    this.#active = this.#queue.limiting || this.#answers.limiting || this.#reduction.common > 0;
  }

  #registerMetrics(): void {
    const { register, metricsPrefix: prefix = "ims" } = this.#options;
    if (register === undefined) return;
    register.gauge({
      name: `${prefix}_overload_queue_seconds`,
      help: "Longest wait of a message between the network and its handling, last measurement",
      value: () => this.#monitor.delayMs / 1000,
    });
    register.gauge({
      name: `${prefix}_overload_admission_rate`,
      help: "New requests a second that are admitted; 0: no limit",
      value: () => (this.#queue.limiting ? this.#queue.rate : 0),
    });
    register.gauge({
      name: `${prefix}_overload_loss_percent`,
      help: "Share of requests that clients are asked to keep back (RFC 7339 oc)",
      value: () => this.#feedback.percent,
    });
    register.gauge({
      name: `${prefix}_overload_refused_total`,
      help: "New requests refused because of overload",
      type: "counter",
      value: () => this.#refusedTotal,
    });
  }
}

function isInProgress({ via, method }: RequestHead, side: string, isKnown: IsKnown): boolean {
  const semicolon = via.indexOf(";");
  const head = semicolon < 0 ? via : via.slice(0, semicolon);
  const sentBy = parseHostPort(head.slice(head.lastIndexOf(" ") + 1));
  // What cannot be read is the parser's affair.
  return (
    sentBy === undefined || isKnown({ branch: parameterAt(via, "branch") ?? "", ...sentBy }, method, side)
  );
}

/** A 503 whose top Via, once ours, says that its sender is in overload: not a failure of that server. */
export function refusesForOverload(response: SipMessage): boolean {
  if (response.status !== 503) return false;
  const report = lossReport(response.top("Via") ?? "");
  return report !== undefined && report.percent > 0 && report.validityMs > 0;
}

function headOf(message: SipMessage): RequestHead {
  return {
    method: message.method,
    requestUri: message.requestUri,
    via: "",
    echoed: "",
    to: message.header("To") ?? "",
    authorization: message.header("Authorization") ?? "",
    contact: message.header("Contact") ?? "",
    route: message.header("Route") ?? "",
    resourcePriority: message.header("Resource-Priority") ?? "",
  };
}
