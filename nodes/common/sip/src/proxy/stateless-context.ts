import type { SipMessage } from "../message/message.ts";
import type { Flow } from "../transport/transport.ts";
import type { Entities } from "./entities.ts";
import { forwardedCopy } from "./forwarding.ts";
import type {
  Destination,
  Fork,
  ForkOptions,
  FunctionalEntity,
  RequestContext,
  TransactionUser,
} from "./transaction-user.ts";

/** What a stateless context needs of ProxyCore. */
export interface StatelessParts {
  readonly entities: Entities;
  run(entity: TransactionUser, context: RequestContext): void;
  send(request: SipMessage, destination: Destination): void;
  /** A procedure refused it: nothing goes on from there. */
  refused(status: number): void;
}

/**
 * A CANCEL on the way that its INVITE took, where the INVITE went through another member of the pool (RFC 3261 §16.10): the
 * procedures choose the same targets, the branches come out the same, and the answers pass by Via.
 */
export class StatelessContext implements RequestContext {
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly from: FunctionalEntity | undefined;
  readonly cancelled = false;
  readonly #entity: TransactionUser;
  readonly #parts: StatelessParts;
  #answered = false;

  constructor(
    request: SipMessage,
    flow: Flow,
    { entity, from }: { entity: TransactionUser; from?: FunctionalEntity },
    parts: StatelessParts,
  ) {
    this.request = request;
    this.flow = flow;
    this.from = from;
    this.#entity = entity;
    this.#parts = parts;
  }

  get answered(): boolean {
    return this.#answered;
  }

  forward(): SipMessage {
    return forwardedCopy(this.request);
  }

  fork(request: SipMessage, { destination }: ForkOptions): Fork {
    const entity = this.#parts.entities.next(request, destination);
    if (entity === undefined) this.#parts.send(request, destination);
    else {
      const next = { entity, from: this.#entity.functionalEntity };
      this.#parts.run(entity, new StatelessContext(request, this.flow, next, this.#parts));
    }
    return { request, done: true, flow: undefined, cancel: () => {} };
  }

  respond(status: number): void {
    if (this.#answered) return;
    this.#answered = status >= 200;
    this.#parts.refused(status);
  }

  relay(): void {}

  onUpstream(): void {}

  cancelForks(): void {}

  decided(): void {}
}
