import type { Clock } from "@ims/runtime";
import { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { responseTo } from "../message/response.ts";
import { MAGIC_COOKIE, sentFrom, type Via } from "../message/via.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import type { Flow } from "../transport/transport.ts";
import { AnsweredRequests } from "./answered-requests.ts";
import {
  ClientTransaction,
  type ClientTransactionParts,
  type ClientTransactionUser,
} from "./client-transaction.ts";
import { ServerTransaction, type ServerTransactionParts } from "./server-transaction.ts";
import type { TransactionTimers } from "./timers.ts";

/** What sits on the transaction layer. */
export interface TransactionLayerUser {
  /** A new request that is neither ACK nor a CANCEL with something to cancel. Set transaction.user before returning. */
  onRequest(transaction: ServerTransaction): void;
  /** ACK that matches no transaction: for a 2xx (RFC 3261 §16.11, RFC 6026 §7.1). */
  onAck(ack: SipMessage, flow: Flow): void;
  /** A response without a client transaction: its transaction ended, or lived in another member of the pool. */
  onStrayResponse(response: SipMessage, flow: Flow): void;
  /** A CANCEL whose INVITE is not here. True: taken over, the transaction has been ended or will be answered. */
  onStrayCancel?(transaction: ServerTransaction): boolean;
}

export interface TransactionLayerOptions {
  readonly clock: Clock;
  readonly timers: TransactionTimers;
  readonly user: TransactionLayerUser;
  readonly sendElsewhere: (response: SipMessage, flow: Flow) => boolean;
  /** A flow by its id, while there is one. */
  readonly flow: (id: number) => Flow | undefined;
  /** May what comes from `flow` answer a request sent over `asked`? False: it is dropped. Default: true. */
  readonly mayAnswer?: (flow: Flow, asked: Flow) => boolean;
  /** May what came over `flow` come again over another connection (a pool member took over)? Default: no. */
  readonly maySendAgain?: (flow: Flow) => boolean;
  readonly trail?: SipTrail | undefined;
}

/** States of client transactions without a final response. */
const WAITING: ReadonlySet<string> = new Set(["calling", "trying", "proceeding"]);

/** Matching of messages to transactions: RFC 3261 §17.1.3, §17.2.3, and CANCEL (§9.2). */
export class TransactionLayer {
  readonly identifiers = new Identifiers();
  readonly #user: TransactionLayerUser;
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #answered: AnsweredRequests;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #pending = new Map<number, Set<ClientTransaction>>();
  readonly #serverParts: ServerTransactionParts;
  readonly #clientParts: ClientTransactionParts;
  readonly #mayAnswer: (flow: Flow, asked: Flow) => boolean;
  readonly #flow: (id: number) => Flow | undefined;

  constructor(options: TransactionLayerOptions) {
    const { clock, timers, user, sendElsewhere, mayAnswer, maySendAgain, trail } = options;
    this.#user = user;
    this.#flow = options.flow;
    this.#answered = new AnsweredRequests(clock);
    this.#mayAnswer = mayAnswer ?? (() => true);
    this.#serverParts = {
      clock,
      timers,
      trail,
      sendElsewhere,
      maySendAgain: maySendAgain ?? (() => false),
      terminated: (gone) => {
        if (this.#servers.get(gone.key) === gone) this.#servers.delete(gone.key);
      },
      answered: ({ key, flow }, wire) => this.#answered.keep(key, wire, flow.id, 64 * timers.t1),
      onAck: (ack, flow) => user.onAck(ack, flow),
    };
    this.#clientParts = {
      clock,
      timers,
      trail,
      terminated: (gone) => {
        // Sent again elsewhere, it has left its place to another one of that branch.
        const key = clientKey(gone.branch, gone.method);
        if (this.#clients.get(key) === gone) this.#clients.delete(key);
        this.#pending.get(gone.flow.id)?.delete(gone);
      },
    };
  }

  /** Those that only wait for Timer J among them. */
  get serverTransactions(): number {
    return this.#servers.size + this.#answered.size;
  }

  get clientTransactions(): number {
    return this.#clients.size;
  }

  /** Server transactions that wait for their final response. Counted when asked: for a node that is about to end. */
  get unanswered(): number {
    let count = 0;
    for (const transaction of this.#servers.values()) if (!transaction.answered) count++;
    return count;
  }

  /** Ids of flows on which a request waits for its final response, the peer's or ours. */
  busyFlows(): Set<number> {
    const busy = new Set<number>();
    for (const transaction of this.#servers.values())
      if (!transaction.answered) busy.add(transaction.flow.id);
    for (const transaction of this.#clients.values())
      if (WAITING.has(transaction.state)) busy.add(transaction.flow.id);
    return busy;
  }

  /** Is a call being set up over this flow, by its peer or to it? `besides`: Call-ID of one that does not count. */
  isInviting(flowId: number, besides?: string): boolean {
    for (const transaction of this.#servers.values()) {
      const waits = transaction.invite && !transaction.answered && transaction.flow.id === flowId;
      if (waits && transaction.request.callId !== besides) return true;
    }
    for (const transaction of this.#clients.values())
      if (transaction.method === "INVITE" && transaction.flow.id === flowId && WAITING.has(transaction.state))
        return true;
    return false;
  }

  /** Is there a server transaction for a request with this top Via? Those without the magic cookie are not looked for. */
  knows(via: Pick<Via, "branch" | "host" | "port">, method: string, side: string): boolean {
    const key = `${via.branch}|${via.host}:${via.port ?? 0}|${method}|${side}`;
    return this.#servers.has(key) || this.#answered.has(key);
  }

  /** A valid request from a flow. */
  onRequest(request: SipMessage, flow: Flow): void {
    const key = serverKey(request, request.method === "ACK" ? "INVITE" : request.method, flow);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      // Who took over from a dead sender gets the answers.
      if (flow !== known.flow && request.method !== "ACK" && this.#mayAnswer(flow, known.flow))
        known.flow = flow;
      known.onRequest(request, flow);
      return;
    }
    if (request.method === "ACK") {
      this.#user.onAck(request, flow);
      return;
    }
    const answered = this.#answered.find(key);
    if (answered !== undefined) return this.#answerAgain(answered, flow);
    const transaction = this.begin(request, flow, key);
    if (request.method === "CANCEL") this.#cancel(transaction);
    else this.#user.onRequest(transaction);
  }

  /** Completed, "request": RFC 3261 §17.2.2. */
  #answerAgain({ response, flowId }: { response: string; flowId: number }, flow: Flow): void {
    const { sendElsewhere, trail } = this.#serverParts;
    const asked = flow.id === flowId ? flow : this.#flow(flowId);
    // Who took over from a dead sender gets the answers.
    let to = asked !== undefined && asked !== flow && this.#mayAnswer(flow, asked) ? flow : asked;
    if (to?.open !== true) {
      const parsed = parseMessage(response);
      if (parsed.kind !== "message") return;
      // A UDP flow that was forgotten comes back as another one.
      if (!leadsTo(parsed.message.topVia, flow)) return void sendElsewhere(parsed.message, flow);
      to = flow;
    }
    if (to.send(response)) trail?.sentText(response, to);
  }

  /** A server transaction for a request that is only to be answered. */
  begin(
    request: SipMessage,
    flow: Flow,
    key: string = serverKey(request, request.method, flow),
  ): ServerTransaction {
    const transaction = new ServerTransaction(key, request, flow, this.#serverParts);
    this.#servers.set(key, transaction);
    return transaction;
  }

  onResponse(response: SipMessage, flow: Flow): void {
    const branch = response.topVia?.branch ?? "";
    const transaction = this.#clients.get(clientKey(branch, response.cseqMethod));
    if (transaction === undefined) this.#user.onStrayResponse(response, flow);
    // A branch is no secret: whoever was sent a request of ours has seen one and can count on.
    else if (flow === transaction.flow || this.#mayAnswer(flow, transaction.flow))
      transaction.onResponse(response, flow);
  }

  /** Sends a request whose top Via carries `branch` over a flow; `patience` (ms) shortens timers B and F. */
  send(
    request: SipMessage,
    branch: string,
    flow: Flow,
    user: ClientTransactionUser,
    patience = 0,
  ): ClientTransaction {
    const transaction = new ClientTransaction(branch, request, flow, user, this.#clientParts, patience);
    const key = clientKey(branch, request.method);
    // The same request by another way: who sent it last gets the answers.
    if (request.method === "INVITE") this.#clients.get(key)?.abandon();
    this.#clients.set(key, transaction);
    if (flow.reliable) this.#watch(flow).add(transaction);
    transaction.start();
    return transaction;
  }

  /** Client transactions waiting on a connection: they fail when it closes (RFC 3261 §17.1.4). */
  #watch(flow: Flow): Set<ClientTransaction> {
    const known = this.#pending.get(flow.id);
    if (known !== undefined) return known;
    const waiting = new Set<ClientTransaction>();
    this.#pending.set(flow.id, waiting);
    flow.onClose(() => {
      this.#pending.delete(flow.id);
      for (const transaction of waiting) transaction.input("transportError");
    });
    return waiting;
  }

  /** RFC 3261 §9.2: 200 for the CANCEL itself when there is something to cancel, else 481. */
  #cancel(transaction: ServerTransaction): void {
    const cancel = transaction.request;
    const invite = this.#servers.get(serverKey(cancel, "INVITE", transaction.flow));
    if (invite === undefined && this.#user.onStrayCancel?.(transaction) === true) return;
    // Only who sent the INVITE may cancel it: same flow, unless that connection is gone; among trusted peers, any.
    const { flow } = transaction;
    const sameSender =
      invite?.flow.id === flow.id ||
      invite?.flow.open === false ||
      (invite !== undefined && this.#mayAnswer(flow, invite.flow));
    if (invite === undefined || !sameSender) {
      transaction.respond(responseTo(cancel, 481, { toTag: this.identifiers.tag() }));
      return;
    }
    transaction.respond(responseTo(cancel, 200, { toTag: this.identifiers.tag() }));
    if (!invite.answered) invite.user?.onCancel(cancel);
  }
}

/** A request of that branch, sent-by and method (RFC 3261 §17.2.3), or the RFC 2543 fields when the cookie is missing. */
function serverKey(request: SipMessage, method: string, flow: Flow): string {
  const via = request.topVia;
  if (via?.branch.startsWith(MAGIC_COOKIE) && via.branch.length > MAGIC_COOKIE.length)
    return flat(`${via.branch}|${via.host}:${via.port ?? 0}|${method}|${flow.side}`);
  const top = request.top("Via") ?? "";
  return flat(
    `${request.requestUri}|${request.fromTag}|${request.callId}|${request.cseqNumber}|${top}|${method}|${flow.side}`,
  );
}

function leadsTo(via: Via | undefined, flow: Flow): boolean {
  if (via === undefined) return false;
  const { address, port } = sentFrom(via);
  return address === flow.remoteAddress && (port ?? 5060) === flow.remotePort;
}

/** A key is looked at as a whole: pieces joined would keep the message alive that they were cut from. Reading a char joins them. */
function flat(key: string): string {
  return key.charCodeAt(0) > 0 ? key : "";
}

function clientKey(branch: string, method: string): string {
  return method === "INVITE" || method === "ACK" ? branch : `${branch}|${method}`;
}
