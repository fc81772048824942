import type { Timer } from "@ims/runtime";
import type { Hop, HopUser } from "../failover/hop.ts";
import { type MethodPolicy, pauseBefore } from "../failover/policy.ts";
import type { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import { blamesServerBehind } from "../overload/busy-behind.ts";
import { refusesForOverload } from "../overload/overload-control.ts";
import { isSentElsewhere } from "../overload/sent-elsewhere.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import type { Flow, Target } from "../transport/transport.ts";
import type { ForkOptions, Fork as ForkPort } from "./transaction-user.ts";
import { type Origin, RepeatedAnswers } from "./upstream.ts";

/** RFC 3261 §16.6 step 11: more than 3 minutes. */
const TIMER_C = 181_000;

/** Where a fork's responses go: a request context, or the sender of a request of our own. */
export interface ForkSink {
  /** Any response but 100; our Via is off. `local`: made here. */
  onForkResponse(response: SipMessage, fork: Fork, local: boolean): void;
  /** Where a request that is proxied came from; none for a request of our own. */
  readonly origin?: Origin;
}

/** How a fork's request is sent this time. */
export interface Attempt {
  /** Tells its branch from those of other forks to the same place, and of targets that refused it with a response. */
  readonly number: number;
  /** Its branch, when it is sent again as it was; "": a new one. */
  readonly branch: string;
  /** Time for an answer in place of timers B and F, ms; 0: theirs. */
  readonly patience: number;
  /** As in Destination. */
  readonly sole: boolean;
}

/** What a fork needs of ProxyCore. */
export interface ForkParts {
  setTimer(ms: number, run: () => void): Timer;
  readonly cancelTimeout: number;
  tag(): string;
  /** Pushes a Via, sends over a new client transaction. */
  send(
    request: SipMessage,
    flow: Flow,
    user: ClientTransactionUser,
    attempt: Attempt,
  ): { transaction: ClientTransaction; sent: SipMessage };
  sendCancel(sent: SipMessage, transaction: ClientTransaction): void;
  policyFor(request: SipMessage): MethodPolicy;
  /** The hop that a target is; undefined outside the trust domain. */
  hopOf(target: Target, side: string): Hop | undefined;
  /** The flow to a target, opened when there is none. */
  flowTo(target: Target, side: string, hop: Hop | undefined): Flow;
  /** The request leaves for the hop, or is done with it. */
  enter(hop: Hop, user: HopUser, policy: MethodPolicy): void;
  leave(hop: Hop, user: HopUser): void;
  succeeded(hop: Hop, policy: MethodPolicy): void;
  failed(
    target: Target,
    hop: Hop | undefined,
    policy: MethodPolicy,
    why: "transport" | "timeout" | "refused",
  ): void;
  /** Has the hop shown life lately? */
  isAlive(hop: Hop): boolean;
  /** The same targets in the order to try them now. */
  order(targets: readonly Target[], side: string, request: SipMessage): readonly Target[];
}

/** A cancellable hop inside the process. */
export interface LocalHop {
  cancel(): void;
}

/** Timers B and F: who asked has given up by then. */
const LONGEST_PATIENCE = 32_000;

/** How many targets may refuse a request with 503 before the refusal goes back: in overload each more makes it worse. */
const MAX_REFUSALS = 2;

/**
 * One branch of a request: its targets one after the other, each by a client transaction (RFC 3261 §16.6, RFC 3263 §4.3).
 * What has no final answer is sent again to the next target when its hop dies or goes out of service, an INVITE that is
 * ringing included: the branch stays the same, so whoever has it already takes it for a retransmission. Where it meets itself all
 * the same, by a way that another member has chosen otherwise, the one that had it first is asked again: he was slow, not dead.
 */
export class Fork implements ForkPort, ClientTransactionUser, HopUser {
  readonly request: SipMessage;
  readonly #parts: ForkParts;
  readonly #sink: ForkSink;
  readonly #options: ForkOptions;
  readonly #policy: MethodPolicy;
  readonly #twin: number;
  #targets: readonly Target[] = [];
  #side = "";
  #sole = false;
  #nextTarget = 0;
  hopPlace = -1;
  #hop: Hop | undefined;
  /** Rounds through the targets after the first; 503s received. */
  #rounds = 0;
  #refusals = 0;
  #branch = "";
  #transaction: ClientTransaction | undefined;
  #sent: SipMessage | undefined;
  #local: LocalHop | undefined;
  #timer: Timer | undefined;
  #silence: Timer | undefined;
  #pause: Timer | undefined;
  #done = false;
  #cancelled = false;
  #provisional = false;
  /** It has left over a connection that was open: somebody may be working on it. */
  #delivered = false;
  /** The last one that had it and was left without a final answer. */
  #left: Target | undefined;

  /** `twin`: how many forks of the same context go to the same Request-URI and Route. */
  constructor(request: SipMessage, options: ForkOptions, sink: ForkSink, parts: ForkParts, twin = 0) {
    this.request = request;
    this.#options = options;
    this.#sink = sink;
    this.#parts = parts;
    this.#policy = parts.policyFor(request);
    this.#twin = twin;
    const { continues } = options;
    // Over UDP the next hop may still answer copies of what has failed.
    if (continues instanceof Fork && continues.flow?.reliable !== false) this.#branch = continues.#branch;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Whoever forks waits for the first response himself. */
  get isTimed(): boolean {
    return this.#options.firstResponseMs !== undefined;
  }

  get flow(): Flow | undefined {
    return this.#transaction?.flow;
  }

  /** The hop stays in the process; responses come by onLocalResponse. */
  enter(start: (fork: Fork) => LocalHop): void {
    this.#armTimer(this.#options.timeoutMs);
    this.#local = start(this);
    if (this.#cancelled) this.#local.cancel();
  }

  sendOver(flow: Flow, sole = false): void {
    this.#targets = [];
    this.#sole = sole;
    this.#attempt(flow, undefined);
  }

  sendTo(targets: readonly Target[], side: string): void {
    this.#targets = targets;
    this.#side = side;
    this.#tryNext();
  }

  cancel(): void {
    if (this.#done || this.#cancelled) return;
    this.#cancelled = true;
    if (this.#local !== undefined) this.#local.cancel();
    else if (this.#provisional) this.#sendCancel();
    // Between two rounds, and nobody has seen it.
    else if (this.#pause !== undefined && !this.#delivered) this.fail(487);
  }

  /** RFC 3261 §16.9, §16.7: no answer could be had; made here. */
  fail(status: number): void {
    this.#deliver(responseTo(this.request, status, { toTag: this.#parts.tag() }), true, false);
  }

  onLocalResponse(response: SipMessage): void {
    this.#deliver(response, false, false);
  }

  onResponse(response: SipMessage): void {
    if (response.status === 503 && !blamesServerBehind(response)) {
      // A server that sheds load works, and so does one that misses something; the next one is asked all the same.
      if (!refusesForOverload(response) && !isSentElsewhere(response)) this.#targetFailed("refused");
      this.#refusals += 1;
      this.#branch = "";
      this.#left = undefined;
      if (this.#nextTarget < this.#targets.length && this.#refusals <= MAX_REFUSALS && !this.#cancelled)
        return this.#tryNext();
    } else if (response.status >= 200 && this.#hop !== undefined)
      this.#parts.succeeded(this.#hop, this.#policy);
    if (response.status === 482 && this.#returns()) return;
    this.#deliver(response, false, true);
  }

  /**
   * The copy of a request was taken for a merged one (RFC 3261 §8.2.2.2) or a loop (RFC 5393 §4.2), so the first is being worked on:
   * to whoever that was sent it is a retransmission, and brings his last answer. False when nobody else had it.
   */
  #returns(): boolean {
    const target = this.#left;
    this.#left = undefined;
    if (target === undefined || target === this.#targets[this.#nextTarget - 1]) return false;
    this.#targets = [target];
    this.#nextTarget = 0;
    this.#tryNext();
    return true;
  }

  onTimeout(): void {
    const alive = this.#isAlive();
    if (!alive) this.#targetFailed("timeout");
    if (this.#cancelled) return this.fail(408);
    const late = this.#patience() >= LONGEST_PATIENCE;
    this.#elsewhere(408, late || (alive && !this.#policy.answersItself));
  }

  /** Its hop is silent: the next target. Its hop is well: somebody behind it is slow, and only an equal may be asked too. */
  onOverdue(): boolean {
    if (this.#policy.answersItself || !this.#isAlive()) return false;
    const current = this.#targets[this.#nextTarget - 1];
    const next = this.#targets[this.#nextTarget];
    return next === undefined || (next.priority ?? 0) !== (current?.priority ?? 0);
  }

  onTransportError(): void {
    this.#targetFailed("transport");
    this.#elsewhere(503, false);
  }

  /** Out of service, but its connection is open: whoever has another target goes there. */
  onHopDown(): void {
    if (this.#done) return;
    const next = this.#targets[this.#nextTarget];
    const hop = next === undefined ? undefined : this.#parts.hopOf(next, this.#side);
    if (hop === undefined || hop.state === "down") return;
    this.#transaction?.abandon();
    this.#elsewhere(503, false);
  }

  /**
   * The next target; when all have been tried, another round after a pause, unless nobody could be reached: then whoever sent
   * it may know better. In the end a response of ours.
   */
  #elsewhere(status: number, last: boolean): void {
    if (this.#done) return;
    if (this.#transaction !== undefined && this.#transaction.flow.localPort !== 0) {
      this.#delivered = true;
      this.#left = this.#targets[this.#nextTarget - 1];
    }
    this.#transaction = undefined;
    this.#sent = undefined;
    if (this.#cancelled && (!this.#delivered || this.request.method !== "INVITE")) return this.fail(status);
    if (this.#nextTarget < this.#targets.length) return this.#tryNext();
    if (last || !this.#delivered || this.#hop === undefined || this.#rounds >= this.#policy.retries)
      return this.fail(status);
    this.#rounds += 1;
    this.#pause = this.#parts.setTimer(pauseBefore(this.#policy, this.#rounds), () => {
      this.#pause = undefined;
      if (this.#done) return;
      this.#targets = this.#parts.order(this.#targets, this.#side, this.request);
      this.#nextTarget = 0;
      this.#tryNext();
    });
  }

  #isAlive(): boolean {
    return this.#hop !== undefined && this.#parts.isAlive(this.#hop);
  }

  #deliver(response: SipMessage, local: boolean, popVia: boolean): void {
    const status = response.status;
    const invite = this.request.method === "INVITE";
    if (this.#done && !(invite && status >= 200 && status < 300)) {
      if (status < 200 && this.#cancelled) this.#sendCancel();
      return;
    }
    if (this.#silence !== undefined) this.#silence.cancel();
    if (status < 200) {
      this.#provisional = true;
      if (invite) this.#armTimer(this.#options.timeoutMs === undefined ? TIMER_C : undefined);
      if (this.#cancelled && this.#transaction !== undefined) this.#sendCancel();
      if (status === 100) return;
    } else {
      this.#done = true;
      this.#timer?.cancel();
      this.#pause?.cancel();
      if (this.#hop !== undefined) this.#parts.leave(this.#hop, this);
    }
    if (popVia) response.replaceTop("Via", undefined);
    if (invite && status >= 200 && status < 300) this.#letGo(response);
    if (this.#options.onResponse?.(response, this, local) === "absorb") return;
    this.#sink.onForkResponse(response, this, local);
  }

  /** The answer is on its way: what may come after it needs nothing of this fork. */
  #letGo(response: SipMessage): void {
    const { origin } = this.#sink;
    if (origin !== undefined) this.#transaction?.handOver(new RepeatedAnswers(response.toTag, origin));
  }

  #tryNext(): void {
    const target = this.#targets[this.#nextTarget++];
    if (target === undefined) return this.fail(503);
    const hop = this.#parts.hopOf(target, this.#side);
    this.#attempt(this.#parts.flowTo(target, this.#side, hop), hop);
  }

  #attempt(flow: Flow, hop: Hop | undefined): void {
    if (this.#options.timeoutMs !== undefined) {
      if (this.#timer === undefined) this.#armTimer(this.#options.timeoutMs);
    } else if (this.request.method === "INVITE") this.#armTimer(TIMER_C);
    if (this.#options.firstResponseMs !== undefined && this.#silence === undefined)
      this.#silence = this.#parts.setTimer(this.#options.firstResponseMs, () => this.#giveUpSilent());
    if (this.#hop !== undefined && this.#hop !== hop) this.#parts.leave(this.#hop, this);
    this.#hop = hop;
    if (hop !== undefined) this.#parts.enter(hop, this, this.#policy);
    const { transaction, sent } = this.#parts.send(this.request, flow, this, {
      number: this.#twin * 16 + this.#refusals,
      branch: this.#branch,
      patience: hop === undefined ? 0 : this.#patience(),
      sole: this.#sole,
    });
    // A send that failed at once has already gone on to the next target.
    if (this.#done || transaction.state === "terminated") return;
    this.#branch = transaction.branch;
    this.#transaction = transaction;
    this.#sent = sent;
  }

  #patience(): number {
    return this.request.toTag === "" ? this.#policy.timeoutMs : this.#policy.inDialogTimeoutMs;
  }

  #targetFailed(why: "transport" | "timeout" | "refused"): void {
    const target = this.#targets[this.#nextTarget - 1];
    if (target !== undefined) this.#parts.failed(target, this.#hop, this.#policy, why);
  }

  #sendCancel(): void {
    if (this.#transaction === undefined || this.#sent === undefined) return;
    const transaction = this.#transaction;
    this.#parts.sendCancel(this.#sent, transaction);
    this.#sent = undefined;
    // RFC 3261 §9.1: no final response within 64*T1 after the CANCEL counts as one.
    this.#timer?.cancel();
    this.#timer = this.#parts.setTimer(this.#parts.cancelTimeout, () => {
      transaction.abandon();
      this.fail(487);
    });
  }

  #giveUpSilent(): void {
    if (this.#done) return;
    this.cancel();
    this.#targetFailed("timeout");
    this.fail(408);
  }

  #armTimer(ms: number | undefined): void {
    if (ms === undefined) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.setTimer(ms, () => {
      if (this.#done) return;
      const provisional = this.#provisional;
      this.cancel();
      // Timer C after a provisional: the CANCEL brings 487 (RFC 3261 §16.8); a deadline of the procedure does not wait.
      if (this.#options.timeoutMs !== undefined || !provisional) this.fail(408);
    });
  }
}
