import type { Timer } from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import { refusesForOverload } from "../overload/overload-control.ts";
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
  ): { transaction: ClientTransaction; sent: SipMessage };
  sendCancel(sent: SipMessage, transaction: ClientTransaction): void;
  flowTo(target: Target, side: string): Flow;
  targetFailed(target: Target): void;
}

/** A cancellable hop inside the process. */
export interface LocalHop {
  cancel(): void;
}

/** One branch of a request: its targets one after the other, each by a client transaction (RFC 3261 §16.6, RFC 3263 §4.3). */
export class Fork implements ForkPort, ClientTransactionUser {
  readonly request: SipMessage;
  readonly #parts: ForkParts;
  readonly #sink: ForkSink;
  readonly #options: ForkOptions;
  #targets: readonly Target[] = [];
  #side = "";
  #nextTarget = 0;
  #transaction: ClientTransaction | undefined;
  #sent: SipMessage | undefined;
  #local: LocalHop | undefined;
  #timer: Timer | undefined;
  #done = false;
  #cancelled = false;
  #provisional = false;

  constructor(request: SipMessage, options: ForkOptions, sink: ForkSink, parts: ForkParts) {
    this.request = request;
    this.#options = options;
    this.#sink = sink;
    this.#parts = parts;
  }

  get done(): boolean {
    return this.#done;
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

  sendOver(flow: Flow): void {
    this.#targets = [];
    this.#attempt(flow);
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
  }

  /** RFC 3261 §16.9, §16.7: no answer could be had; made here. */
  fail(status: number): void {
    this.#deliver(responseTo(this.request, status, { toTag: this.#parts.tag() }), true, false);
  }

  onLocalResponse(response: SipMessage): void {
    this.#deliver(response, false, false);
  }

  onResponse(response: SipMessage): void {
    if (response.status === 503 && this.#nextTarget < this.#targets.length && !this.#cancelled) {
      // A server that sheds load works; the next one is asked all the same.
      if (!refusesForOverload(response)) this.#targetFailed();
      this.#tryNext();
      return;
    }
    this.#deliver(response, false, true);
  }

  onTimeout(): void {
    this.#targetFailed();
    if (this.#nextTarget < this.#targets.length && !this.#cancelled) this.#tryNext();
    else this.fail(408);
  }

  onTransportError(): void {
    this.#targetFailed();
    if (this.#nextTarget < this.#targets.length && !this.#cancelled) this.#tryNext();
    else this.fail(503);
  }

  #deliver(response: SipMessage, local: boolean, popVia: boolean): void {
    const status = response.status;
    const invite = this.request.method === "INVITE";
    if (this.#done && !(invite && status >= 200 && status < 300)) return;
    if (status < 200) {
      this.#provisional = true;
      if (invite) this.#armTimer(this.#options.timeoutMs === undefined ? TIMER_C : undefined);
      if (this.#cancelled && this.#transaction !== undefined) this.#sendCancel();
      if (status === 100) return;
    } else {
      this.#done = true;
      this.#timer?.cancel();
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
    if (target === undefined) this.fail(503);
    else this.#attempt(this.#parts.flowTo(target, this.#side));
  }

  #attempt(flow: Flow): void {
    if (this.#options.timeoutMs !== undefined) {
      if (this.#timer === undefined) this.#armTimer(this.#options.timeoutMs);
    } else if (this.request.method === "INVITE") this.#armTimer(TIMER_C);
    const { transaction, sent } = this.#parts.send(this.request, flow, this);
    // A send that failed at once has already gone on to the next target.
    if (this.#done || transaction.state === "terminated") return;
    this.#transaction = transaction;
    this.#sent = sent;
  }

  #targetFailed(): void {
    const target = this.#targets[this.#nextTarget - 1];
    if (target !== undefined) this.#parts.targetFailed(target);
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
