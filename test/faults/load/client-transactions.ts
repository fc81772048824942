import type { SipMessage } from "@ims/sip";
import { type Patience, patience } from "./patience.ts";

/** RFC 3261 §17.1.1.1 */
const T1_MS = 500;
const T2_MS = 4000;

export interface TransactionHandlers {
  provisional?(response: SipMessage): void;
  final(response: SipMessage): void;
  /** The edge node is gone, or said nothing at all within the UE's patience, or no final response came in time. */
  failed(why: "lost" | "silent" | "timeout"): void;
}

export interface TransactionOptions {
  readonly reliable: boolean;
  readonly send: (text: string) => void;
  /** Without any response by then the UE looks elsewhere, ms. */
  readonly patience: number;
  /** Without a final response by then the request has failed, ms. */
  readonly deadline: number;
}

interface Transaction extends TransactionOptions {
  readonly request: SipMessage;
  readonly text: string;
  readonly handlers: TransactionHandlers;
  resend: NodeJS.Timeout | undefined;
  readonly silence: Patience;
  readonly late: Patience;
  /** The ACK to a final response other than 2xx, for each copy of it (RFC 3261 §17.1.1.2). */
  ack: string | undefined;
  proceeding: boolean;
  done: boolean;
}

/** Client transactions of one UE: RFC 3261 §17.1. */
export class ClientTransactions {
  readonly #open = new Map<string, Transaction>();

  start(request: SipMessage, options: TransactionOptions, handlers: TransactionHandlers): void {
    const key = `${request.topVia?.branch ?? ""}|${request.method}`;
    const text = request.toString();
    const transaction: Transaction = {
      ...options,
      request,
      text,
      handlers,
      resend: undefined,
      silence: patience(options.patience, () => this.#fail(key, "silent")),
      late: patience(options.deadline, () => this.#fail(key, "timeout")),
      ack: undefined,
      proceeding: false,
      done: false,
    };
    this.#open.set(key, transaction);
    if (!options.reliable) this.#resendAfter(transaction, T1_MS);
    options.send(text);
  }

  /** A response; false when no transaction of ours waits for it. */
  receive(response: SipMessage): boolean {
    const key = `${response.topVia?.branch ?? ""}|${response.cseqMethod}`;
    const transaction = this.#open.get(key);
    if (transaction === undefined) return false;
    if (transaction.done) {
      if (transaction.ack !== undefined) transaction.send(transaction.ack);
      return transaction.ack !== undefined || transaction.request.method !== "INVITE";
    }
    transaction.silence.end();
    if (response.status < 200) {
      // Timer A stops at the first provisional response, timer E goes on at T2 (RFC 3261 §17.1.1.2, §17.1.2.2).
      transaction.proceeding = true;
      clearTimeout(transaction.resend);
      if (!transaction.reliable && transaction.request.method !== "INVITE")
        this.#resendAfter(transaction, T2_MS);
      transaction.handlers.provisional?.(response);
      return true;
    }
    this.#settle(key, transaction);
    if (transaction.request.method === "INVITE" && response.status >= 300) {
      transaction.ack = ackFor(transaction.request, response);
      transaction.send(transaction.ack);
    }
    transaction.handlers.final(response);
    return true;
  }

  /** The edge node these requests went to is gone. Over UDP another one may still bring what was promised by a 1xx. */
  lost(): void {
    for (const [key, transaction] of [...this.#open])
      if (!transaction.done && (transaction.reliable || !transaction.proceeding)) this.#fail(key, "lost");
  }

  /** Ends everything without a word. */
  close(): void {
    for (const transaction of this.#open.values()) stop(transaction);
    this.#open.clear();
  }

  #resendAfter(transaction: Transaction, ms: number): void {
    transaction.resend = setTimeout(() => {
      transaction.send(transaction.text);
      const doubled = transaction.request.method === "INVITE" ? ms * 2 : Math.min(ms * 2, T2_MS);
      this.#resendAfter(transaction, doubled);
    }, ms);
  }

  #settle(key: string, transaction: Transaction): void {
    stop(transaction);
    transaction.done = true;
    // Copies of the response are absorbed for timer D or K.
    setTimeout(() => this.#open.delete(key), 5000).unref();
  }

  #fail(key: string, why: "lost" | "silent" | "timeout"): void {
    const transaction = this.#open.get(key);
    if (transaction === undefined || transaction.done) return;
    this.#settle(key, transaction);
    transaction.handlers.failed(why);
  }
}

function stop(transaction: Transaction): void {
  clearTimeout(transaction.resend);
  transaction.silence.end();
  transaction.late.end();
}

/** RFC 3261 §17.1.1.3: same branch, To of the response, Route of the INVITE. */
function ackFor(invite: SipMessage, response: SipMessage): string {
  const ack = invite.clone();
  ack.method = "ACK";
  return ack
    .set("CSeq", `${invite.cseqNumber} ACK`)
    .set("To", response.header("To") ?? "")
    .remove("Content-Type")
    .remove("Contact")
    .setBody("")
    .toString();
}
