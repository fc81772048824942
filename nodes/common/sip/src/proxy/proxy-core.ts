import { Hops } from "../failover/hops.ts";
import { DEFAULT_POLICIES } from "../failover/policy.ts";
import type { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { isUsableResponse } from "../message/validate.ts";
import { decimal } from "../message/values.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import { DEFAULT_TIMERS } from "../transaction/timers.ts";
import { TransactionLayer, type TransactionLayerUser } from "../transaction/transaction-layer.ts";
import type { Flow, GarbageReason, TransportHandler, TransportLayer } from "../transport/transport.ts";
import { Acks } from "./acks.ts";
import { type AdmissionParts, admit } from "./admission.ts";
import { Branches } from "./branch.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Entities } from "./entities.ts";
import { Fork, type ForkSink } from "./fork.ts";
import { ViaMaker } from "./forwarding.ts";
import { breadthOfEach } from "./loop-detection.ts";
import type { ProxyCoreOptions, ProxyCounters, Side } from "./proxy-options.ts";
import { Reception } from "./reception.ts";
import { RequestContext } from "./request-context.ts";
import { ResponseRouter } from "./response-router.ts";
import { Strays } from "./strays.ts";
import type {
  DecisionFields,
  Destination,
  ForkOptions,
  Fork as ForkPort,
  OriginatedHandler,
  RequestOriginator,
  TransactionUser,
} from "./transaction-user.ts";
import { ServerUpstream } from "./upstream.ts";

/** The proxy of RFC 3261 §16 under the functional entities of one process. */
export class ProxyCore implements TransportHandler, TransactionLayerUser, RequestOriginator {
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  /** The next hops on trusted sides and their health. */
  readonly hops: Hops;
  readonly #sides = new Map<string, Side>();
  readonly #entities: Entities;
  readonly #options: ProxyCoreOptions;
  readonly #admission: AdmissionParts;
  readonly #dispatcher: Dispatcher;
  readonly #strays: Strays;
  readonly #reception: Reception;
  readonly #acks: Acks;
  /** The response that is taken over at this moment. */
  #takenOver: SipMessage | undefined;

  constructor(options: ProxyCoreOptions) {
    const timers = options.timers ?? DEFAULT_TIMERS;
    const { clock, locator, overload, onDefect, trail } = options;
    this.#options = options;
    for (const side of options.sides) this.#sides.set(side.name, side);
    this.#entities = new Entities(options.sides);
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
      onDefect,
    });
    this.#reception = new Reception({
      counters: options.counters,
      trail,
      overload,
      sides: this.#sides,
      transactions: this.transactions,
    });
    this.#acks = new Acks({
      entities: this.#entities,
      strays: this.#strays,
      dispatcher: this.#dispatcher,
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
    this.#reception.onMessage(text, flow, handed);
  }

  onGarbage(flow: Flow, reason: GarbageReason, text: string): void {
    this.#reception.onGarbage(flow, reason, text);
  }

  onStale(side: string): void {
    this.#reception.onStale(side);
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
    if (side !== undefined && !this.#acks.onAck(ack, flow, side))
      this.#options.counters?.dropped("ack", flow.side);
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
    const local = this.#entities.next(fork.request, destination);
    if (local === undefined) this.#dispatcher.dispatch(fork, destination);
    else fork.enter(() => this.#enterLocally(fork, local, context));
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
