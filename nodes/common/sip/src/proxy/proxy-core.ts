import type { Clock } from "@ims/runtime";
import type { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { responseTo } from "../message/response.ts";
import { parseUri, type Uri } from "../message/uri.ts";
import {
  faultOfUnreadable,
  isUsableResponse,
  type RequestFault,
  validateRequest,
} from "../message/validate.ts";
import { decimal } from "../message/values.ts";
import type { Via } from "../message/via.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import { DEFAULT_TIMERS, type TransactionTimers } from "../transaction/timers.ts";
import { TransactionLayer, type TransactionLayerUser } from "../transaction/transaction-layer.ts";
import type {
  Flow,
  GarbageReason,
  Target,
  TransportHandler,
  TransportLayer,
} from "../transport/transport.ts";
import { type AdmissionParts, admit } from "./admission.ts";
import { Fork, type ForkParts, type ForkSink } from "./fork.ts";
import { cancelFor, forwardedCopy, ViaMaker } from "./forwarding.ts";
import { breadthOfEach, loopHash } from "./loop-detection.ts";
import { nextHop, topRoute } from "./next-hop.ts";
import { RequestContext } from "./request-context.ts";
import { noteSource, sendByVia } from "./stateless.ts";
import type {
  AckContext,
  Destination,
  ForkOptions,
  Fork as ForkPort,
  OriginatedHandler,
  RequestOriginator,
  TransactionUser,
} from "./transaction-user.ts";
import { ServerUpstream } from "./upstream.ts";

/** A trust zone: who gets its requests when no Route names an entity, and how closely messages are checked. */
export interface Side {
  readonly name: string;
  readonly entity: TransactionUser;
  /** Outside the trust domain: full syntax checks, no responses by Via, stray responses dropped. */
  readonly strict: boolean;
  /** May responses come from this address over a connection that the request did not take? Default: from any. */
  readonly answers?: (address: string) => boolean;
}

/** Addresses of a URI in the order to try: RFC 3263. Empty when there are none. */
export interface Locator {
  locate(uri: Uri): readonly Target[] | Promise<readonly Target[]>;
  /** A target did not answer: put it last for a while. */
  failed(target: Target): void;
}

export interface ProxyCoreOptions {
  readonly sides: readonly Side[];
  readonly locator: Locator;
  readonly clock: Clock;
  /** Called once with the core as handler. */
  readonly transport: (handler: TransportHandler) => TransportLayer;
  readonly timers?: TransactionTimers;
  /** option-tags that may stand in Proxy-Require (RFC 3261 §16.3 step 5). */
  readonly proxyRequire?: readonly string[];
  /** Longest request sent over UDP without trying TCP first (RFC 3261 §18.1.1). */
  readonly udpLimit?: number;
  /** A procedure threw: a defect; the request is answered 500. */
  readonly onDefect: (error: unknown, request: SipMessage) => void;
  readonly counters?: ProxyCounters;
  /** Sheds new work when there is too much of it, and RFC 7339 with neighbours. */
  readonly overload?: OverloadControl;
}

/** Told of what passes; implementations only count. */
export interface ProxyCounters {
  request(method: string, side: string): void;
  /** A final response left for a request of that method. */
  response(method: string, status: number, side: string): void;
  dropped(reason: "unreadable" | "response" | "ack", side: string): void;
}

/** The proxy of RFC 3261 §16 under the functional entities of one process. */
export class ProxyCore implements TransportHandler, TransactionLayerUser, ForkParts, RequestOriginator {
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly cancelTimeout: number;
  readonly #clock: Clock;
  readonly #sides = new Map<string, Side>();
  readonly #entities: readonly TransactionUser[];
  readonly #options: ProxyCoreOptions;
  readonly #admission: AdmissionParts;
  readonly #udpLimit: number;
  readonly #vias: ViaMaker;

  constructor(options: ProxyCoreOptions) {
    const timers = options.timers ?? DEFAULT_TIMERS;
    this.#options = options;
    this.#clock = options.clock;
    for (const side of options.sides) this.#sides.set(side.name, side);
    this.#entities = [...new Set(options.sides.map((side) => side.entity))];
    this.#udpLimit = options.udpLimit ?? 1300;
    this.cancelTimeout = 64 * timers.t1;
    this.transport = options.transport(this);
    this.#vias = new ViaMaker(this.transport, (side) => options.overload?.offer(side) ?? "");
    this.transactions = new TransactionLayer({
      clock: options.clock,
      timers,
      user: this,
      sendElsewhere: (response, flow) =>
        this.#sides.get(flow.side)?.strict === false && sendByVia(response, flow.side, this.transport),
      mayAnswer: (flow, asked) => this.#mayAnswer(flow, asked),
    });
    this.#admission = {
      entities: this.#entities,
      proxyRequire: new Set(options.proxyRequire ?? []),
      branchPrefix: this.identifiers.branchPrefix,
    };
  }

  get identifiers(): Identifiers {
    return this.transactions.identifiers;
  }

  onMessage(text: string, flow: Flow): void {
    if (this.#options.overload?.active && this.#shed(text, flow, this.#options.overload)) return;
    const parsed = parseMessage(text);
    if (parsed.kind === "invalid") {
      const { message } = parsed;
      if (message?.isRequest && message.method !== "ACK" && message.topVia !== undefined) {
        noteSource(message, flow);
        this.#refuse(message, flow, faultOfUnreadable(parsed.fault));
      } else this.#options.counters?.dropped("unreadable", flow.side);
      return;
    }
    const { message } = parsed;
    if (message.isRequest) this.#receiveRequest(message, flow);
    else if (isUsableResponse(message)) {
      this.#hear(message, flow);
      this.transactions.onResponse(message, flow);
    } else this.#options.counters?.dropped("response", flow.side);
  }

  /** Framing failed: say 400 if the head can be read; the transport closes the stream. */
  onGarbage(flow: Flow, reason: GarbageReason, text: string): void {
    const head = text.slice(0, 8192);
    const { message } = parseMessage(
      head.includes("\r\n\r\n") ? head : `${head.slice(0, head.lastIndexOf("\r\n"))}\r\n\r\n`,
    );
    if (message?.isRequest && message.method !== "ACK" && message.topVia !== undefined) {
      const fault: RequestFault =
        reason === "tooLarge"
          ? { status: 513, reason: "Message Too Large" }
          : { status: 400, reason: `Bad Request (${reason})` };
      this.#refuse(message, flow, fault);
    } else this.#options.counters?.dropped("unreadable", flow.side);
  }

  /** RFC 7339 §11: what strangers say of overload counts for nothing. */
  #hear(response: SipMessage, flow: Flow): void {
    const { overload } = this.#options;
    const side = this.#sides.get(flow.side);
    if (overload === undefined || side === undefined || side.strict) return;
    if (side.answers?.(flow.remoteAddress) !== false) overload.heard(response, flow);
  }

  /** Refuses before anything is parsed; true when the message is done with. */
  #shed(text: string, flow: Flow, overload: OverloadControl): boolean {
    const refusal = overload.refusal(text, flow, this.#isKnown);
    if (refusal === undefined) return false;
    if (refusal === "") return true;
    const method = text.slice(0, text.indexOf(" "));
    this.#options.counters?.request(method, flow.side);
    this.#options.counters?.response(method, 503, flow.side);
    flow.send(refusal);
    return true;
  }

  readonly #isKnown = (via: Via, method: string, side: string): boolean =>
    this.transactions.knows(via, method, side);

  #receiveRequest(request: SipMessage, flow: Flow): void {
    const side = this.#sides.get(flow.side);
    if (side === undefined) return;
    this.#options.counters?.request(request.method, flow.side);
    if (request.topVia !== undefined) noteSource(request, flow);
    const fault = validateRequest(request, side.strict);
    if (fault === undefined) this.transactions.onRequest(request, flow);
    else if (request.method !== "ACK" && request.topVia !== undefined) this.#refuse(request, flow, fault);
    else this.#options.counters?.dropped("unreadable", flow.side);
  }

  /** Answers without a transaction: nothing a stranger sends wrong shall cost memory. */
  #refuse(request: SipMessage, flow: Flow, fault: RequestFault): void {
    const response = responseTo(request, fault.status, {
      toTag: this.identifiers.tag(),
      reason: fault.reason,
    });
    this.#options.counters?.response(request.method, fault.status, flow.side);
    flow.send(response.toString());
  }

  onRequest(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const side = this.#sides.get(flow.side);
    if (side === undefined) return transaction.end();
    const chosen = admit(request, side, this.#admission);
    const { overload } = this.#options;
    const answered = overload?.taken(request);
    const upstream = new ServerUpstream(transaction, chosen.entity, (response) => {
      if (response.status >= 200) {
        this.#options.counters?.response(transaction.method, response.status, flow.side);
        answered?.();
      }
      overload?.leaving(response, flow.side);
    });
    const context = new RequestContext(chosen.entity, request, flow, undefined, upstream, this.#contextParts);
    transaction.user = { onCancel: () => context.cancel() };
    if (chosen.fault !== undefined) {
      const { status, reason, edit } = chosen.fault;
      context.respond(status, { reason, ...(edit === undefined ? {} : { edit }) });
      return;
    }
    this.#run(context);
  }

  #run(context: RequestContext): void {
    try {
      const running = context.entity.onRequest(context);
      if (running !== undefined) running.catch((error: unknown) => this.#defect(error, context));
    } catch (error) {
      this.#defect(error, context);
    }
  }

  #defect(error: unknown, context: RequestContext): void {
    this.#options.onDefect(error, context.request);
    context.cancelForks();
    context.respond(500);
  }

  onAck(ack: SipMessage, flow: Flow): void {
    const side = this.#sides.get(flow.side);
    if (side === undefined) return;
    const route = topRoute(ack);
    if (route === "malformed" || parseUri(ack.requestUri) === undefined)
      return this.#options.counters?.dropped("ack", flow.side);
    const own = route === undefined ? undefined : this.#entities.find((entity) => entity.accepts(route));
    const entity = side.strict ? side.entity : (own ?? side.entity);
    const context: AckContext = {
      request: ack,
      flow,
      forward: () => forwardedCopy(ack),
      send: (request, destination) => this.#sendStateless(request, destination),
    };
    if (entity.onAck !== undefined) {
      try {
        entity.onAck(context);
      } catch (error) {
        this.#options.onDefect(error, ack);
      }
      return;
    }
    const forwarded = context.forward();
    this.popOwnRoutes(forwarded);
    context.send(forwarded, { kind: "uri", side: flow.side });
  }

  /** Takes the Route values that name an entity of this process off the top. */
  popOwnRoutes(request: SipMessage): void {
    for (;;) {
      const route = topRoute(request);
      if (
        route === undefined ||
        route === "malformed" ||
        !this.#entities.some((entity) => entity.accepts(route))
      )
        return;
      request.replaceTop("Route", undefined);
    }
  }

  /** A response over another flow than its request's: from the same zone, and there from whom it trusts. */
  #mayAnswer(flow: Flow, asked: Flow): boolean {
    const side = this.#sides.get(asked.side);
    if (flow.side !== asked.side || side === undefined) return false;
    if (!side.strict) return side.answers?.(flow.remoteAddress) ?? true;
    // A UDP flow that was forgotten comes back as another object.
    return (
      !asked.reliable &&
      !flow.reliable &&
      flow.remotePort === asked.remotePort &&
      flow.remoteAddress === asked.remoteAddress
    );
  }

  /** RFC 3261 §16.11 for a response whose transaction is not here: another member of the pool had it. */
  onStrayResponse(response: SipMessage, flow: Flow): void {
    const side = this.#sides.get(flow.side);
    const foreign = side?.answers?.(flow.remoteAddress) === false;
    if (side === undefined || side.strict || foreign || response.values("Via").length < 2)
      return this.#options.counters?.dropped("response", flow.side);
    response.replaceTop("Via", undefined);
    sendByVia(response, flow.side, this.transport);
  }

  // ---- forks ----

  readonly #contextParts = {
    startFork: (request: SipMessage, options: ForkOptions, context: RequestContext): Fork => {
      const fork = new Fork(request, options, context, this);
      context.addFork(fork);
      const { parallel = 1 } = options;
      const breadth = parallel > 1 || request.has("Max-Breadth") ? breadthOfEach(request, parallel) : 0;
      if (breadth !== 0 && breadth !== undefined) request.set("Max-Breadth", String(breadth));
      if (context.cancelled || context.answered) fork.fail(487);
      else if (breadth === undefined) fork.fail(440);
      else this.#dispatch(fork, options.destination, context);
      return fork;
    },
    tag: (): string => this.tag(),
  };

  originate(request: SipMessage, destination: Destination, handler: OriginatedHandler): ForkPort {
    if (!request.has("Max-Forwards")) request.append("Max-Forwards", "70");
    if (!request.has("Content-Length")) request.append("Content-Length", String(request.body.length));
    const sink: ForkSink = {
      onForkResponse: (response, _fork, local) => {
        if (response.status < 200) handler.onProvisional?.(response);
        else handler.onFinal(response, local);
      },
    };
    const fork = new Fork(request, { destination }, sink, this);
    this.#dispatch(fork, destination, undefined);
    return fork;
  }

  #dispatch(fork: Fork, destination: Destination, context: RequestContext | undefined): void {
    if (destination.kind === "flow") return fork.sendOver(destination.flow);
    if (destination.kind === "targets") return fork.sendTo(destination.targets, destination.side);
    const uri = destination.uri ?? nextHop(fork.request);
    if (uri === undefined) return fork.fail(400);
    const local = context && this.#entities.find((entity) => entity.accepts(uri));
    if (local !== undefined && context !== undefined) {
      fork.enter(() => this.#enterLocally(fork, local, context));
      return;
    }
    const located = this.#options.locator.locate(uri);
    if (located instanceof Promise)
      located.then(
        (targets) => this.#sendTo(fork, targets, destination.side),
        (error: unknown) => {
          this.#options.onDefect(error, fork.request);
          fork.fail(500);
        },
      );
    else this.#sendTo(fork, located, destination.side);
  }

  #sendTo(fork: Fork, located: readonly Target[], side: string): void {
    const targets = this.#options.overload?.allowed(fork.request, located, side) ?? located;
    // RFC 7339 §5.10: every server that could take it has asked for less.
    if (targets.length === 0 && located.length > 0)
      return fork.onLocalResponse(responseTo(fork.request, 503, { toTag: this.tag() }));
    const first = targets[0];
    // RFC 3261 §18.1.1: what does not fit a datagram goes by TCP, and by UDP when there is no TCP.
    if (first?.protocol === "UDP" && fork.request.length > this.#udpLimit)
      fork.sendTo([{ ...first, protocol: "TCP" }, ...targets], side);
    else fork.sendTo(targets, side);
  }

  /** A hop inside the process: a function call instead of Via and socket. */
  #enterLocally(fork: Fork, entity: TransactionUser, from: RequestContext): RequestContext {
    const context = new RequestContext(
      entity,
      fork.request,
      from.flow,
      from.entity.functionalEntity,
      {
        respond: (response) => fork.onLocalResponse(response),
        giveUp: () => fork.fail(408),
        origin: from.origin,
      },
      this.#contextParts,
    );
    if (decimal(fork.request.header("Max-Forwards") ?? "70") === 0) context.respond(483);
    else this.#run(context);
    return context;
  }

  setTimer(ms: number, run: () => void): ReturnType<Clock["setTimer"]> {
    return this.#clock.setTimer(ms, run);
  }

  tag(): string {
    return this.identifiers.tag();
  }

  flowTo(target: Target, side: string): Flow {
    return this.transport.flowTo(target, side);
  }

  targetFailed(target: Target): void {
    this.#options.locator.failed(target);
  }

  send(
    request: SipMessage,
    flow: Flow,
    user: ClientTransactionUser,
  ): { transaction: ClientTransaction; sent: SipMessage } {
    const sent = request.clone();
    const branch =
      request.toTag === "" ? `${this.identifiers.branch()}.${loopHash(request)}` : this.identifiers.branch();
    sent.prepend("Via", this.#vias.make(flow, branch));
    return { transaction: this.transactions.send(sent, branch, flow, user), sent };
  }

  /** RFC 3261 §9.1: same Request-URI, Call-ID, To, From, Route, CSeq number and top Via as what it cancels. */
  sendCancel(sent: SipMessage, transaction: ClientTransaction): void {
    const cancel = cancelFor(sent);
    this.transactions.send(cancel, transaction.branch, transaction.flow, {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onTransportError: () => undefined,
    });
  }

  #sendStateless(request: SipMessage, destination: Destination): void {
    const over = (flow: Flow): void => {
      request.prepend("Via", this.#vias.make(flow, this.identifiers.branch()));
      flow.send(request.toString());
    };
    if (destination.kind === "flow") return over(destination.flow);
    const side = destination.side;
    const first = (targets: readonly Target[]): void => {
      const target = targets[0];
      if (target === undefined) this.#options.counters?.dropped("ack", side);
      else over(this.transport.flowTo(target, side));
    };
    if (destination.kind === "targets") return first(destination.targets);
    const uri = destination.uri ?? nextHop(request);
    if (uri === undefined) return this.#options.counters?.dropped("ack", side);
    const located = this.#options.locator.locate(uri);
    if (located instanceof Promise)
      located.then(first, (error: unknown) => this.#options.onDefect(error, request));
    else first(located);
  }
}
