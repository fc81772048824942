import type { SipMessage } from "../message/message.ts";
import type { ClientTransaction, ClientTransactionUser } from "../transaction/client-transaction.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { TransactionUser } from "./transaction-user.ts";

/** Where a context's responses go: a server transaction, or the fork of the entity before it in this process. */
export interface Upstream {
  /** `stateless`: nothing is kept after a final response (RFC 3261 §8.2.7). */
  respond(response: SipMessage, stateless?: boolean): void;
  /** RFC 4320 §4.2: a non-INVITE that timed out gets no answer; what waits for one is freed. */
  giveUp(): void;
  /** The server transaction at the end of the way, and the entity that got its request. */
  readonly origin: Origin;
}

export interface Origin {
  readonly transaction: ServerTransaction;
  readonly entity: TransactionUser;
}

type Leaving = (response: SipMessage, transaction: ServerTransaction) => void;

/** Upstream of the first context of a request: its server transaction. */
export class ServerUpstream implements Upstream, Origin {
  readonly transaction: ServerTransaction;
  readonly entity: TransactionUser;
  readonly #leaving: Leaving;
  #answered: (() => void) | undefined;

  /** `leaving` sees every response before it is sent, `answered` is called once with the first final one. */
  constructor(
    transaction: ServerTransaction,
    entity: TransactionUser,
    leaving: Leaving,
    answered: (() => void) | undefined,
  ) {
    this.transaction = transaction;
    this.entity = entity;
    this.#leaving = leaving;
    this.#answered = answered;
  }

  get origin(): Origin {
    return this;
  }

  respond(response: SipMessage, stateless = false): void {
    this.#leaving(response, this.transaction);
    if (response.status >= 200) {
      this.#answered?.();
      this.#answered = undefined;
    }
    this.transaction.respond(response, stateless);
  }

  giveUp(): void {
    this.transaction.end();
  }
}

/**
 * Takes the place of a fork whose INVITE has its 2xx: the procedure is over and everything of it is let go, while the UAS may
 * repeat its 2xx for 32 s (RFC 6026 §8.4). A repeat makes the server transaction repeat; a 2xx of another UAS, which a proxy
 * behind us may have forked to, is shown to the entity.
 */
export class RepeatedAnswers implements ClientTransactionUser {
  readonly #tag: string;
  readonly #origin: Origin;

  constructor(tag: string, origin: Origin) {
    this.#tag = tag;
    this.#origin = origin;
  }

  onResponse(response: SipMessage, { flow }: ClientTransaction): void {
    const { transaction, entity } = this.#origin;
    if (response.toTag === this.#tag) {
      transaction.resend();
      return;
    }
    response.replaceTop("Via", undefined);
    if (entity.onFurtherAnswer?.(response, flow, transaction.flow) !== false) transaction.respond(response);
  }

  onTimeout(): void {}

  onTransportError(): void {}
}
