import { Hops } from "../failover/hops.ts";
import { DEFAULT_POLICIES } from "../failover/policy.ts";
import type { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { responseTo } from "../message/response.ts";
import {
  faultOfUnreadable,
  isUsableResponse,
  type RequestFault,
  validateRequest,
} from "../message/validate.ts";
import { decimal } from "../message/values.ts";
import type { IsKnown, OverloadControl } from "../overload/overload-control.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import { DEFAULT_TIMERS } from "../transaction/timers.ts";
import { TransactionLayer, type TransactionLayerUser } from "../transaction/transaction-layer.ts";
import type { Flow, GarbageReason, TransportHandler, TransportLayer } from "../transport/transport.ts";
import { type AdmissionParts, admit } from "./admission.ts";
import { Branches } from "./branch.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Fork, type ForkSink } from "./fork.ts";
import { forwardedCopy, ViaMaker } from "./forwarding.ts";
import { breadthOfEach } from "./loop-detection.ts";
import { nextHop, topRoute } from "./next-hop.ts";
import type { ProxyCoreOptions, ProxyCounters, Side } from "./proxy-options.ts";
import { RequestContext } from "./request-context.ts";
import { ResponseRouter } from "./response-router.ts";
import { noteSource } from "./source.ts";
import { Strays } from "./strays.ts";
import type {
  AckContext,
  DecisionFields,
  Destination,
  ForkOptions,
  Fork as ForkPort,
  OriginatedHandler,
  RequestOriginator,
  TransactionUser,
} from "./transaction-user.ts";
import { ServerUpstream } from "./upstream.ts";

/** How much of what cannot be read is kept in the trail, octets. */
const UNREADABLE_KEPT = 2_048;

/** The proxy of RFC 3261 §16 under the functional entities of one process. */
export class ProxyCore implements TransportHandler, TransactionLayerUser, RequestOriginator {
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  /** The next hops on trusted sides and their health. */
  readonly hops: Hops;
  readonly #sides = new Map<string, Side>();
  readonly #entities: readonly TransactionUser[];
  readonly #options: ProxyCoreOptions;
  readonly #admission: AdmissionParts;
  readonly #dispatcher: Dispatcher;
  readonly #strays: Strays;
  /** The response that is taken over at this moment. */
  #takenOver: SipMessage | undefined;

  constructor(options: ProxyCoreOptions) {
    const timers = options.timers ?? DEFAULT_TIMERS;
    const { clock, locator, overload, onDefect, trail } = options;
    this.#options = options;
    for (const side of options.sides) this.#sides.set(side.name, side);
    this.#entities = [...new Set(options.sides.map((side) => side.entity))];
    this.transport = options.transport(this);
    this.hops = new Hops({
      clock,
      transport: () => this.transport,
      resend: (send) => this.#dispatcher.sendAgain(send),
      ...(options.probe === undefined ? {} : { probe: options.probe }),
      ...(options.onHopChange === undefined ? {} : { onChange: options.onHopChange }),
    });
    const responses = new ResponseRouter({ clock, hops: this.hops, locator, trail });
    this.transactions = new TransactionLayer({
      clock,
      timers,
      user: this,
      sendElsewhere: (response, flow) => !this.#isStrict(flow.side) && responses.send(response, flow.side),
      flow: (id) => this.transport.flow(id),
      mayAnswer: (flow, asked) => this.#mayAnswer(flow, asked),
      maySendAgain: (flow) => !this.#isStrict(flow.side),
      trail,
    });
    const branches = new Branches(this.identifiers, options.poolKey);
    this.#dispatcher = new Dispatcher({
      clock,
      locator,
      transport: this.transport,
      transactions: this.transactions,
      branches,
      vias: new ViaMaker(
        this.transport,
        (side) => overload?.offer(side) ?? "",
        (side) => this.#sides.get(side)?.sentBy,
      ),
      hops: this.hops,
      policies: options.policies ?? DEFAULT_POLICIES,
      overload,
      trail,
      isStrict: (side) => this.#isStrict(side),
      udpLimit: options.udpLimit ?? 1300,
      cancelTimeout: 64 * timers.t1,
      onDefect,
      onDropped: (side) => options.counters?.dropped("ack", side),
    });
    this.#admission = {
      entities: this.#entities,
      proxyRequire: new Set(options.proxyRequire ?? []),
      branchPrefix: branches.prefix,
    };
    this.#strays = new Strays({
      admission: this.#admission,
      identifiers: this.identifiers,
      responses,
      dispatcher: this.#dispatcher,
      localEntity: (request, destination) => this.#localEntity(request, destination),
      onDefect,
    });
  }

  #isStrict(side: string): boolean {
    return this.#sides.get(side)?.strict !== false;
  }

  /** Stops watching the next hops and closes every flow. */
  async stop(): Promise<void> {
    this.hops.stop();
    await this.transport.stop();
  }

  get identifiers(): Identifiers {
    return this.transactions.identifiers;
  }

  onMessage(text: string, flow: Flow, handed?: SipMessage): void {
    if (this.#options.overload?.active && this.#shed(text, flow, this.#options.overload)) return;
    if (handed !== undefined) return this.#receive(handed, text, flow);
    const parsed = parseMessage(text);
    if (parsed.kind === "invalid") {
      const { message } = parsed;
      this.#options.trail?.receivedText(text.slice(0, UNREADABLE_KEPT), flow);
      if (message?.isRequest && message.method !== "ACK" && message.topVia !== undefined) {
        noteSource(message, flow);
        this.#refuse(message, flow, faultOfUnreadable(parsed.fault));
      } else this.#options.counters?.dropped("unreadable", flow.side);
      return;
    }
    this.#receive(parsed.message, text, flow);
  }

  #receive(message: SipMessage, text: string, flow: Flow): void {
    this.#options.trail?.received(message, text, flow);
    if (message.isRequest) this.#receiveRequest(message, flow);
    else if (isUsableResponse(message)) {
      this.#hear(message, flow);
      this.transactions.onResponse(message, flow);
    } else this.#options.counters?.dropped("response", flow.side);
  }

  /** Framing failed: say 400 if the head can be read; the transport closes the stream. */
  onGarbage(flow: Flow, reason: GarbageReason, text: string): void {
    const head = text.slice(0, 8192);
    this.#options.trail?.receivedText(text.slice(0, UNREADABLE_KEPT), flow);
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

  onStale(side: string): void {
    this.#options.counters?.dropped("stale", side);
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
    this.#options.trail?.shed(refusal, flow);
    return true;
  }

  readonly #isKnown: IsKnown = (via, method, side) => this.transactions.knows(via, method, side);

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
    const text = response.toString();
    flow.send(text, response);
    this.#options.trail?.sent(response, text, flow);
  }

  onRequest(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const side = this.#sides.get(flow.side);
    if (side === undefined) return transaction.end();
    const chosen = admit(request, side, this.#admission);
    const answered = this.#options.overload?.taken(request);
    const upstream = new ServerUpstream(transaction, chosen.entity, this.#leaving, answered);
    const context = new RequestContext(chosen.entity, request, flow, undefined, upstream, this.#contextParts);
    transaction.user = { onCancel: () => context.cancel() };
    if (chosen.fault !== undefined) {
      const { status, reason, edit } = chosen.fault;
      context.respond(status, { reason, ...(edit === undefined ? {} : { edit }) });
      return;
    }
    this.#run(context);
  }

  // Not a closure of onRequest: it lives as long as the transaction, and would keep the context alive with it.
  readonly #leaving = (response: SipMessage, transaction: ServerTransaction): void => {
    const { side } = transaction.flow;
    const { status } = response;
    const { counters } = this.#options;
    if (counters !== undefined && status >= 180) this.#count(counters, status, transaction, side);
    this.#options.overload?.leaving(response, side);
  };

  #count(counters: ProxyCounters, status: number, transaction: ServerTransaction, side: string): void {
    const { method, invite } = transaction;
    if (status >= 200) counters.response(method, status, side);
    if (transaction.answered || (status < 200 && (status !== 180 || transaction.rang))) return;
    const ms = this.#options.clock.monotonic() - transaction.receivedAt;
    const begins = invite && transaction.request.toTag === "";
    if (status < 200) {
      transaction.rang = true;
      if (begins) counters.setUp?.("ringing", side, ms);
      return;
    }
    counters.answered?.(method, side, ms);
    if (begins && status < 300) counters.setUp?.("answered", side, ms);
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
    if (route === "malformed" || ack.target === undefined || this.#strays.mustEnd(ack))
      return this.#options.counters?.dropped("ack", flow.side);
    const own = route === undefined ? undefined : this.#entities.find((entity) => entity.accepts(route));
    const entity = side.strict ? side.entity : (own ?? side.entity);
    if (this.#strays.mayAcknowledge(flow, side) && entity.isOfRefusal?.(ack) === true)
      return this.#strays.acknowledge(ack, flow, entity);
    const context: AckContext = {
      request: ack,
      flow,
      forward: () => forwardedCopy(ack),
      send: (request, destination) => this.#sendAck(request, destination, flow, entity),
    };
    this.#enterAck(context, entity);
  }

  #enterAck(context: AckContext, entity: TransactionUser): void {
    if (entity.onAck !== undefined) {
      try {
        entity.onAck(context);
      } catch (error) {
        this.#options.onDefect(error, context.request);
      }
      return;
    }
    const forwarded = context.forward();
    this.popOwnRoutes(forwarded);
    context.send(forwarded, { kind: "uri", side: context.flow.side });
  }

  /** To the wire, or to another entity of this process, as the requests of its dialog go. */
  #sendAck(ack: SipMessage, destination: Destination, flow: Flow, from: TransactionUser): void {
    const local = this.#localEntity(ack, destination);
    const hops = decimal(ack.header("Max-Forwards") ?? "70") ?? 0;
    if (local === undefined || local === from || hops === 0)
      return this.#dispatcher.sendStateless(ack, destination);
    this.#enterAck(
      {
        request: ack,
        flow,
        forward: () => forwardedCopy(ack),
        send: (request, next) => this.#sendAck(request, next, flow, local),
      },
      local,
    );
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
      request.popRoute();
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

  /** A response that another process of our port has handed over; the flow is ours to the same far end. */
  takeOver(text: string, flow: Flow): void {
    const parsed = parseMessage(text);
    if (parsed.kind === "invalid" || parsed.message.isRequest || !isUsableResponse(parsed.message)) return;
    this.#options.trail?.received(parsed.message, text, flow);
    this.#takenOver = parsed.message;
    this.transactions.onResponse(parsed.message, flow);
    this.#takenOver = undefined;
  }

  onStrayResponse(response: SipMessage, flow: Flow): void {
    const side = this.#sides.get(flow.side);
    if (side === undefined) return;
    if (this.#strays.response(response, flow, side) || this.#handsOver(response, flow, side)) return;
    this.#options.counters?.dropped("response", flow.side);
  }

  /** What was handed over stays here: nobody else has asked for it either. */
  #handsOver(response: SipMessage, flow: Flow, side: Side): boolean {
    const { handOver } = this.#options;
    if (handOver === undefined || !side.strict || flow.reliable || response === this.#takenOver) return false;
    const isOfPool = response.topVia?.branch.startsWith(this.#admission.branchPrefix) === true;
    return isOfPool && handOver(response.toString(), flow);
  }

  onStrayCancel(transaction: ServerTransaction): boolean {
    const side = this.#sides.get(transaction.flow.side);
    return side !== undefined && this.#strays.cancel(transaction, side);
  }

  // ---- forks ----

  readonly #contextParts = {
    startFork: (request: SipMessage, options: ForkOptions, context: RequestContext): Fork => {
      const fork = new Fork(request, options, context, this.#dispatcher, context.twins(request));
      context.addFork(fork);
      const { parallel = 1 } = options;
      const breadth = parallel > 1 || request.has("Max-Breadth") ? breadthOfEach(request, parallel) : 0;
      if (breadth !== 0 && breadth !== undefined) request.set("Max-Breadth", String(breadth));
      if (context.cancelled || context.answered) fork.fail(487);
      else if (breadth === undefined) fork.fail(440);
      else this.#dispatch(fork, options.destination, context);
      return fork;
    },
    tag: (): string => this.identifiers.tag(),
    decided: (callId: string, what: string, fields: DecisionFields): void =>
      this.#options.trail?.decided(callId, what, fields),
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
    const fork = new Fork(request, { destination }, sink, this.#dispatcher);
    this.#dispatcher.dispatch(fork, destination);
    return fork;
  }

  #dispatch(fork: Fork, destination: Destination, context: RequestContext): void {
    const local = this.#localEntity(fork.request, destination);
    if (local === undefined) this.#dispatcher.dispatch(fork, destination);
    else fork.enter(() => this.#enterLocally(fork, local, context));
  }

  #localEntity(request: SipMessage, destination: Destination): TransactionUser | undefined {
    if (destination.kind !== "uri") return undefined;
    const uri = destination.uri ?? nextHop(request);
    return uri === undefined ? undefined : this.#entities.find((entity) => entity.accepts(uri));
  }

  /** A hop inside the process: a function call instead of Via and socket. */
  #enterLocally(fork: Fork, entity: TransactionUser, from: RequestContext): RequestContext {
    this.#options.trail?.decided(fork.request.callId, "hop", {
      from: from.entity.functionalEntity,
      to: entity.functionalEntity,
      request: `${fork.request.method} ${fork.request.requestUri}`,
    });
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
}
