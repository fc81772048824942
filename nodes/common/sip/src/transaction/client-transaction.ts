import type { Clock, Timer } from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import type { Flow } from "../transport/transport.ts";
import {
  type ClientAction,
  type ClientInput,
  type ClientInviteState,
  clientInvite,
} from "./client-invite.fsm.ts";
import { type ClientNonInviteState, clientNonInvite } from "./client-non-invite.fsm.ts";
import { KeptText } from "./kept-text.ts";
import type { TransactionTimers } from "./timers.ts";

/** What the user of a client transaction hears (RFC 3261 §17.1). After timeout or transportError nothing more comes. */
export interface ClientTransactionUser {
  onResponse(response: SipMessage, transaction: ClientTransaction): void;
  onTimeout(transaction: ClientTransaction): void;
  onTransportError(transaction: ClientTransaction): void;
  /** The time its user gave it is over. True: it waits on, until timer B or F. */
  onOverdue?(transaction: ClientTransaction): boolean;
}

export interface ClientTransactionParts {
  readonly clock: Clock;
  readonly timers: TransactionTimers;
  readonly terminated: (transaction: ClientTransaction) => void;
  readonly trail?: SipTrail | undefined;
}

/** Hears nothing: after a final response that ends the transaction's work nothing more comes. */
const NOBODY: ClientTransactionUser = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onTransportError: () => undefined,
};

/** A client transaction over one flow; the request carries our Via with `branch`. */
export class ClientTransaction {
  readonly branch: string;
  readonly method: string;
  readonly flow: Flow;
  readonly #parts: ClientTransactionParts;
  #user: ClientTransactionUser;
  #state: ClientInviteState | ClientNonInviteState;
  #request: SipMessage | undefined;
  /** Kept while it may have to be sent again: until the first response over UDP. */
  #wire: string;
  /** Of a non-2xx. */
  #ack: KeptText | undefined;
  #retransmission: Timer | undefined;
  #timeout: Timer | undefined;
  #interval: number;
  /** Time given by the user in place of timers B and F; 0: none. */
  #patience: number;
  #heardOn: Flow | undefined;

  constructor(
    branch: string,
    request: SipMessage,
    flow: Flow,
    user: ClientTransactionUser,
    parts: ClientTransactionParts,
    patience = 0,
  ) {
    this.branch = branch;
    this.method = request.method;
    this.flow = flow;
    this.#parts = parts;
    this.#user = user;
    this.#request = request;
    this.#state = request.method === "INVITE" ? "calling" : "trying";
    this.#interval = parts.timers.t1;
    this.#patience = patience < 64 * parts.timers.t1 ? patience : 0;
    this.#wire = request.toString();
  }

  get state(): string {
    return this.#state;
  }

  start(): void {
    const sent = this.flow.send(this.#wire, this.#request);
    if (!sent) {
      this.input("transportError");
      return;
    }
    if (this.#request !== undefined) this.#parts.trail?.sent(this.#request, this.#wire, this.flow);
    const invite = this.method === "INVITE";
    this.#run(invite ? "startB" : "startF", undefined);
    if (this.flow.reliable) this.#wire = "";
    else this.#run(invite ? "startA" : "startE", undefined);
  }

  /** `flow`: what it came over, which may be another member of the pool that was asked. */
  onResponse(response: SipMessage, flow: Flow = this.flow): void {
    const status = response.status;
    if (flow !== this.flow) this.#heardOn = flow;
    this.input(status < 200 ? "1xx" : status < 300 ? "2xx" : "300-699", response);
  }

  /** From here on somebody else hears of responses: repeats of a 2xx to INVITE until Timer M. */
  handOver(user: ClientTransactionUser): void {
    this.#user = user;
  }

  /** Ends it without a word: its user has no more interest (RFC 3261 §9.1, 64*T1 after a CANCEL). */
  abandon(): void {
    if (this.#state !== "terminated") this.#enter("terminated");
  }

  input(input: ClientInput, response?: SipMessage): void {
    const row =
      this.method === "INVITE"
        ? clientInvite[this.#state as ClientInviteState]
        : clientNonInvite[this.#state as ClientNonInviteState];
    const step = row[input];
    if (step === undefined) return;
    this.#enter(step.next);
    for (const action of step.actions) this.#run(action, response);
  }

  #enter(next: ClientInviteState | ClientNonInviteState): void {
    if (next === this.#state) return;
    this.#state = next;
    if (next !== "terminated") return;
    this.#retransmission?.cancel();
    this.#timeout?.cancel();
    this.#ack?.release();
    this.#parts.terminated(this);
  }

  #run(action: ClientAction, response: SipMessage | undefined): void {
    const { t1, t2, t4, d } = this.#parts.timers;
    switch (action) {
      case "sendRequest":
        if (this.flow.send(this.#wire)) this.#parts.trail?.sentText(this.#wire, this.flow);
        else this.input("transportError");
        return;
      case "sendAck":
        if (response !== undefined && this.#request !== undefined) {
          const ack = ackFor(this.#request, response).toString();
          this.#ack = new KeptText(ack);
          this.#request = undefined;
          this.#acknowledge(ack);
        } else if (this.#ack !== undefined) this.#acknowledge(this.#ack.toString());
        return;
      case "passUp": {
        if (response === undefined) return;
        const user = this.#user;
        // "completed" may last 32 s: nothing of the procedure may stay with it.
        if (this.#state === "completed") this.#user = NOBODY;
        user.onResponse(response, this);
        return;
      }
      case "informTimeout":
        this.#user.onTimeout(this);
        return;
      case "informTransportError":
        this.#user.onTransportError(this);
        return;
      case "startA":
        this.#retransmit("timerA", this.#interval);
        this.#interval *= 2;
        return;
      case "startE":
        this.#retransmit("timerE", this.#interval);
        this.#interval = Math.min(this.#interval * 2, t2);
        return;
      case "startEAtT2":
        this.#retransmit("timerE", t2);
        return;
      case "startB":
        return this.#patience > 0 ? this.#wait("timerB") : this.#expire("timerB", 64 * t1);
      case "startF":
        return this.#patience > 0 ? this.#wait("timerF") : this.#expire("timerF", 64 * t1);
      case "startD":
        this.#wire = "";
        return this.#expire("timerD", this.flow.reliable ? 0 : d);
      case "startK":
        this.#wire = "";
        this.#request = undefined;
        return this.#expire("timerK", this.flow.reliable ? 0 : t4);
      case "startM":
        this.#wire = "";
        this.#request = undefined;
        return this.#expire("timerM", 64 * t1);
      case "stopRetransmission":
        this.#retransmission?.cancel();
        return;
      case "stopTimeout":
        this.#timeout?.cancel();
        return;
    }
  }

  /** Where the INVITE went (RFC 3261 §17.1.1.3); is that gone, whoever has passed its answer on passes the ACK on (§16.11). */
  #acknowledge(ack: string): void {
    const flow = this.flow.send(ack) ? this.flow : this.#heardOn;
    if (flow === undefined || (flow !== this.flow && !flow.send(ack))) return;
    this.#parts.trail?.sentText(ack, flow);
  }

  #retransmit(input: ClientInput, ms: number): void {
    if (this.flow.reliable || this.#state === "terminated") return;
    this.#retransmission = this.#parts.clock.setTimer(ms, () => this.input(input));
  }

  #wait(input: ClientInput): void {
    const left = 64 * this.#parts.timers.t1 - this.#patience;
    this.#timeout = this.#parts.clock.setTimer(this.#patience, () => {
      if (this.#user.onOverdue?.(this) === true) this.#expire(input, left);
      else this.input(input);
    });
  }

  #expire(input: ClientInput, ms: number): void {
    this.#timeout?.cancel();
    if (this.#state === "terminated") return;
    if (ms === 0) this.input(input);
    else this.#timeout = this.#parts.clock.setTimer(ms, () => this.input(input));
  }
}

/** ACK for a non-2xx final response: RFC 3261 §17.1.1.3. */
function ackFor(request: SipMessage, response: SipMessage): SipMessage {
  const ack = request.clone();
  ack.method = "ACK";
  const via = request.top("Via") ?? "";
  ack.set("Via", via);
  ack.set("To", response.header("To") ?? request.header("To") ?? "");
  ack.set("CSeq", `${request.cseqNumber} ACK`);
  for (const name of NOT_IN_ACK) ack.remove(name);
  return ack.setBody("");
}

const NOT_IN_ACK = [
  "Contact",
  "Record-Route",
  "Content-Type",
  "Content-Encoding",
  "Content-Disposition",
  "Expires",
  "Supported",
  "Allow",
  "Accept",
  "Require",
  "Proxy-Require",
  "Session-Expires",
  "Min-SE",
] as const;
