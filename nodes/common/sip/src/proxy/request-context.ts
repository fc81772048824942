import type { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import type { Flow } from "../transport/transport.ts";
import { bestResponse } from "./best-response.ts";
import type { Fork, ForkSink } from "./fork.ts";
import { forwardedCopy } from "./forwarding.ts";
import type {
  DecisionFields,
  ForkOptions,
  FunctionalEntity,
  RequestContext as RequestContextPort,
  RespondOptions,
  TransactionUser,
} from "./transaction-user.ts";
import type { Origin, Upstream } from "./upstream.ts";

/** What a context needs of ProxyCore. */
export interface ContextParts {
  startFork(request: SipMessage, options: ForkOptions, context: RequestContext): Fork;
  tag(): string;
  decided(callId: string, what: string, fields: DecisionFields): void;
}

/** One request at one functional entity: request context and response context of RFC 3261 §16.2 and §16.7. */
export class RequestContext implements RequestContextPort, ForkSink {
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly from: FunctionalEntity | undefined;
  readonly entity: TransactionUser;
  readonly #upstream: Upstream;
  readonly #parts: ContextParts;
  readonly #edits: ((response: SipMessage) => void)[] = [];
  readonly #forks: Fork[] = [];
  #finals: SipMessage[] = [];
  #cancelled = false;
  #answered = false;

  constructor(
    entity: TransactionUser,
    request: SipMessage,
    flow: Flow,
    from: FunctionalEntity | undefined,
    upstream: Upstream,
    parts: ContextParts,
  ) {
    this.entity = entity;
    this.request = request;
    this.flow = flow;
    this.from = from;
    this.#upstream = upstream;
    this.#parts = parts;
  }

  get origin(): Origin {
    return this.#upstream.origin;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get answered(): boolean {
    return this.#answered;
  }

  forward(): SipMessage {
    return forwardedCopy(this.request);
  }

  fork(request: SipMessage, options: ForkOptions): Fork {
    const fork = this.#parts.startFork(request, options, this);
    return fork;
  }

  /** How many forks have gone to the same place. */
  twins(request: SipMessage): number {
    let count = 0;
    for (const { request: other } of this.#forks)
      if (other.requestUri === request.requestUri && other.top("Route") === request.top("Route")) count++;
    return count;
  }

  /** Registers a fork before anything of it can be answered. */
  addFork(fork: Fork): void {
    this.#forks.push(fork);
  }

  respond(status: number, options: RespondOptions = {}): void {
    if (this.#answered) return;
    const response = responseTo(this.request, status, {
      ...(status === 100 ? {} : { toTag: this.#parts.tag() }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    });
    options.edit?.(response);
    if (status >= 300) this.decided("answer", { status, reason: options.reason, why: options.why });
    this.#answer(response, options.stateless);
  }

  relay(response: SipMessage): void {
    this.#answer(response);
  }

  #answer(response: SipMessage, stateless = false): void {
    if (response.status >= 200) {
      if (this.#answered && !this.#isInvite2xx(response)) return;
      this.#answered = true;
      this.#finals = [];
      this.#cancelOthers();
    } else if (this.#answered) return;
    for (let index = this.#edits.length - 1; index >= 0; index--) this.#edits[index]?.(response);
    this.#upstream.respond(response, stateless);
  }

  onUpstream(edit: (response: SipMessage) => void): void {
    this.#edits.push(edit);
  }

  decided(what: string, fields: DecisionFields): void {
    this.#parts.decided(this.request.callId, what, { entity: this.entity.functionalEntity, ...fields });
  }

  cancelForks(): void {
    this.#cancelOthers();
  }

  /** CANCEL from upstream (RFC 3261 §16.10). Without a fork to wait for, 487 at once. */
  cancel(): void {
    if (this.#answered || this.#cancelled) return;
    this.#cancelled = true;
    const open = this.#forks.some((fork) => !fork.done);
    this.#cancelOthers();
    if (!open && this.#forks.length === 0) this.respond(487);
  }

  onForkResponse(response: SipMessage, _fork: Fork, local: boolean): void {
    const status = response.status;
    if (status < 300) {
      this.relay(response);
      return;
    }
    if (this.#answered) return;
    this.#finals.push(response);
    if (status >= 600) this.#cancelOthers();
    this.#settle(local);
  }

  /** RFC 3261 §16.7 step 5: the best response goes up when no fork is open any more. */
  #settle(local: boolean): void {
    for (const fork of this.#forks) if (!fork.done) return;
    const best = bestResponse(this.#finals);
    if (best === undefined) return;
    if (best.status === 408 && local && this.request.method !== "INVITE") {
      this.#answered = true;
      this.#upstream.giveUp();
      return;
    }
    this.relay(best);
  }

  #cancelOthers(): void {
    for (const fork of this.#forks) if (!fork.done) fork.cancel();
  }

  #isInvite2xx(response: SipMessage): boolean {
    return this.request.method === "INVITE" && response.status < 300;
  }
}
