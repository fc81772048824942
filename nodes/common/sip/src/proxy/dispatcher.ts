import type { Clock, Timer } from "@ims/runtime";
import type { Hop, HopUser } from "../failover/hop.ts";
import type { Hops } from "../failover/hops.ts";
import { type MethodPolicy, type Policies, policyFor } from "../failover/policy.ts";
import type { StatelessSend } from "../failover/recent-sends.ts";
import type { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import type { TransactionLayer } from "../transaction/transaction-layer.ts";
import type { Flow, Target, TransportLayer } from "../transport/transport.ts";
import type { Branches } from "./branch.ts";
import type { Attempt, Fork, ForkParts } from "./fork.ts";
import { cancelFor, type ViaMaker } from "./forwarding.ts";
import type { Locator } from "./locator.ts";
import { nextHop } from "./next-hop.ts";
import type { Destination } from "./transaction-user.ts";

export interface DispatcherModules {
  readonly clock: Clock;
  readonly locator: Locator;
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly branches: Branches;
  readonly vias: ViaMaker;
  readonly hops: Hops;
  readonly policies: Policies;
  readonly overload: OverloadControl | undefined;
  readonly trail?: SipTrail | undefined;
  readonly isStrict: (side: string) => boolean;
  readonly udpLimit: number;
  readonly cancelTimeout: number;
  readonly onDefect: (error: unknown, request: SipMessage) => void;
  /** A request without a transaction that could not be sent. */
  readonly onDropped: (side: string) => void;
}

/** Finds out where requests go and sends them: RFC 3261 §16.6 steps 7 to 10, RFC 3263 §4, and fail-over among targets. */
export class Dispatcher implements ForkParts {
  readonly cancelTimeout: number;
  readonly #modules: DispatcherModules;

  constructor(modules: DispatcherModules) {
    this.#modules = modules;
    this.cancelTimeout = modules.cancelTimeout;
  }

  /** Sends the request of a fork out of the process. */
  dispatch(fork: Fork, destination: Destination): void {
    if (destination.kind === "flow") return fork.sendOver(destination.flow, destination.sole);
    if (destination.kind === "targets") return fork.sendTo(destination.targets, destination.side);
    const uri = destination.uri ?? nextHop(fork.request);
    if (uri === undefined) return fork.fail(400);
    const { locator, onDefect } = this.#modules;
    const located = locator.locate(uri);
    if (located instanceof Promise)
      located.then(
        (targets) => this.#sendTo(fork, targets, destination.side),
        (error: unknown) => {
          onDefect(error, fork.request);
          fork.fail(500);
        },
      );
    else this.#sendTo(fork, located, destination.side);
  }

  #sendTo(fork: Fork, located: readonly Target[], side: string): void {
    const { overload, hops, isStrict, udpLimit } = this.#modules;
    const { request } = fork;
    const allowed = overload?.allowed(request, located, side) ?? located;
    // RFC 7339 §5.10: every server that could take it has asked for less.
    if (allowed.length === 0 && located.length > 0) return this.#refuse(fork);
    const newDialog = DIALOGS.has(request.method) && request.toTag === "" && !isUrgent(request, overload);
    const guarded = newDialog && !fork.isTimed && !isStrict(side);
    if (guarded && hops.allBlocked(allowed, side, this.policyFor(request))) return this.#refuse(fork);
    const targets = this.order(allowed, side, request);
    const first = targets[0];
    // RFC 3261 §18.1.1: what does not fit a datagram goes by TCP, and by UDP when there is no TCP.
    if (first?.protocol === "UDP" && request.length + OUR_VIA > udpLimit)
      fork.sendTo([{ ...first, protocol: "TCP" }, ...targets], side);
    else fork.sendTo(targets, side);
  }

  #refuse(fork: Fork): void {
    fork.onLocalResponse(responseTo(fork.request, 503, { toTag: this.tag() }));
  }

  order(targets: readonly Target[], side: string, request: SipMessage): readonly Target[] {
    const { hops, isStrict } = this.#modules;
    if (targets.length < 2 || isStrict(side)) return targets;
    return hops.order(targets, side, request, this.policyFor(request), request.toTag === "");
  }

  policyFor(request: SipMessage): MethodPolicy {
    return policyFor(this.#modules.policies, request.method);
  }

  setTimer(ms: number, run: () => void): Timer {
    return this.#modules.clock.setTimer(ms, run);
  }

  tag(): string {
    return this.#modules.transactions.identifiers.tag();
  }

  hopOf(target: Target, side: string): Hop | undefined {
    return this.#modules.isStrict(side) ? undefined : this.#modules.hops.hop(target, side);
  }

  flowTo(target: Target, side: string, hop: Hop | undefined): Flow {
    return hop === undefined ? this.#modules.transport.flowTo(target, side) : this.#modules.hops.flowTo(hop);
  }

  enter(hop: Hop, user: HopUser, policy: MethodPolicy): void {
    hop.enter(user, policy, this.#modules.clock.monotonic());
    this.#modules.hops.busy(hop);
  }

  leave(hop: Hop, user: HopUser): void {
    hop.leave(user);
  }

  succeeded(hop: Hop, policy: MethodPolicy): void {
    this.#modules.hops.succeeded(hop, policy);
  }

  failed(
    target: Target,
    hop: Hop | undefined,
    policy: MethodPolicy,
    why: "transport" | "timeout" | "refused",
  ): void {
    if (hop === undefined) this.#modules.locator.failed?.(target);
    else this.#modules.hops.failed(hop, policy, why);
  }

  isAlive(hop: Hop): boolean {
    return this.#modules.hops.isAlive(hop);
  }

  send(
    request: SipMessage,
    flow: Flow,
    user: ClientTransactionUser,
    { number, branch: before, patience, sole }: Attempt,
  ): { transaction: ClientTransaction; sent: SipMessage } {
    const { branches, vias, transactions } = this.#modules;
    const branch = before === "" ? branches.of(request, number, sole) : before;
    const sent = request.clone();
    sent.prepend("Via", vias.make(flow, branch));
    return { transaction: transactions.send(sent, branch, flow, user, patience), sent };
  }

  /** RFC 3261 §9.1: same Request-URI, Call-ID, To, From, Route, CSeq number and top Via as what it cancels. */
  sendCancel(sent: SipMessage, transaction: ClientTransaction): void {
    this.#modules.transactions.send(cancelFor(sent), transaction.branch, transaction.flow, {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onTransportError: () => undefined,
    });
  }

  /** Sends an ACK, or a CANCEL whose INVITE another member has: RFC 3261 §16.11. */
  sendStateless(request: SipMessage, destination: Destination): void {
    if (destination.kind === "flow")
      return void this.#over(destination.flow, request, destination.sole === true);
    const { side } = destination;
    const { locator, onDefect, onDropped } = this.#modules;
    if (destination.kind === "targets") return this.#toFirst(destination.targets, side, request);
    const uri = destination.uri ?? nextHop(request);
    if (uri === undefined) return onDropped(side);
    const located = locator.locate(uri);
    if (located instanceof Promise)
      located.then(
        (targets) => this.#toFirst(targets, side, request),
        (error: unknown) => onDefect(error, request),
      );
    else this.#toFirst(located, side, request);
  }

  /** `left`: how often it may be sent again; to the same target too, whose connection may be reset. */
  #toFirst(
    targets: readonly Target[],
    side: string,
    request: SipMessage,
    left = Math.max(1, targets.length - 1),
  ): void {
    for (const target of this.order(targets, side, request)) {
      const hop = this.hopOf(target, side);
      if (!this.#over(this.flowTo(target, side, hop), request)) continue;
      if (hop !== undefined && left > 0)
        hop.recent.add({ request, targets, side, at: this.#modules.clock.monotonic(), left });
      return;
    }
    this.#modules.onDropped(side);
  }

  /** The hop it went to is gone. */
  sendAgain({ request, targets, side, left }: StatelessSend): void {
    request.replaceTop("Via", undefined);
    this.#toFirst(targets, side, request, left - 1);
  }

  #over(flow: Flow, request: SipMessage, sole = false): boolean {
    request.prepend("Via", this.#modules.vias.make(flow, this.#modules.branches.of(request, 0, sole)));
    const text = request.toString();
    if (flow.send(text, request)) {
      this.#modules.trail?.sent(request, text, flow);
      return true;
    }
    request.replaceTop("Via", undefined);
    return false;
  }
}

/** Octets of the Via that a request gets yet, with room for what overload control says in it. */
const OUR_VIA = 160;

/** What begins dialogs: an open breaker refuses it; anything else only goes elsewhere if it can. */
const DIALOGS: ReadonlySet<string> = new Set(["INVITE", "SUBSCRIBE", "REFER"]);

/** RFC 5031, RFC 4412: nobody is told to try later. */
function isUrgent(request: SipMessage, overload: OverloadControl | undefined): boolean {
  if (request.requestUri.startsWith("urn:service:sos")) return true;
  const priority = request.header("Resource-Priority");
  return priority !== undefined && (overload?.isPriority(priority) ?? true);
}
