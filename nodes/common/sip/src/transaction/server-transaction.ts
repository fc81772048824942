import type { Clock, Timer } from "@ims/runtime";
import { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import type { Flow } from "../transport/transport.ts";
import {
  type ServerAction,
  type ServerInput,
  type ServerInviteState,
  serverInvite,
} from "./server-invite.fsm.ts";
import { type ServerNonInviteState, serverNonInvite } from "./server-non-invite.fsm.ts";
import type { TransactionTimers } from "./timers.ts";

/** What the user of a server transaction hears after its request. */
export interface ServerTransactionUser {
  onCancel(cancel: SipMessage): void;
  /** ACK of a 2xx that came while the transaction still absorbs retransmissions (RFC 6026 §7.1). */
  onAck(ack: SipMessage, flow: Flow): void;
}

export interface ServerTransactionParts {
  readonly clock: Clock;
  readonly timers: TransactionTimers;
  readonly terminated: (transaction: ServerTransaction) => void;
  /** Sends a response that cannot go back over its flow (RFC 3261 §18.2.2). */
  readonly sendElsewhere: (response: SipMessage, flow: Flow) => boolean;
  /** May the request come again over another connection, because the pool member that sent it died? */
  readonly maySendAgain: (flow: Flow) => boolean;
}

/** How long a final response is kept for a request that comes again over another connection, ms. */
const LINGER_MS = 500;

const RELEASED = SipMessage.request("", "");

/** A server transaction: RFC 3261 §17.2. Owns the request until its final response. */
export class ServerTransaction {
  readonly key: string;
  /** The last one it came on. */
  flow: Flow;
  /** Empty once a non-INVITE has its final response: nothing of it is needed any more. */
  request: SipMessage;
  readonly invite: boolean;
  user: ServerTransactionUser | undefined;
  readonly #parts: ServerTransactionParts;
  /** The last response is kept over reliable flows too. Not what a registrar or poll answers: asking again does no harm. */
  readonly #keeps: boolean;
  #state: ServerInviteState | ServerNonInviteState;
  /** Last response as sent, for retransmissions; empty over reliable flows once final. */
  #wire = "";
  #status = 0;
  #retransmission: Timer | undefined;
  #timeout: Timer | undefined;
  #interval: number;

  constructor(key: string, request: SipMessage, flow: Flow, parts: ServerTransactionParts) {
    this.key = key;
    this.request = request;
    this.flow = flow;
    this.invite = request.method === "INVITE";
    this.#parts = parts;
    this.#state = this.invite ? "proceeding" : "trying";
    this.#interval = parts.timers.t1;
    const { method } = request;
    this.#keeps = method !== "REGISTER" && method !== "OPTIONS" && parts.maySendAgain(flow);
    if (this.invite)
      this.#retransmission = parts.clock.setTimer(parts.timers.trying, () => {
        if (this.#status === 0) this.respond(responseTo(request, 100));
      });
  }

  get state(): string {
    return this.#state;
  }

  /** A final response was sent. */
  get answered(): boolean {
    return this.#status >= 200;
  }

  /** Sends a response whose top Via is the request's. A second final response (but 2xx to INVITE) is ignored. */
  respond(response: SipMessage): void {
    const status = response.status;
    // RFC 4320 §4.1: no 1xx to a non-INVITE before Timer E is at T2; we never send one.
    if (status < 200 && !this.invite) return;
    this.#input(status < 200 ? "1xx" : status < 300 ? "2xx" : "300-699", response);
  }

  /** A retransmission of the request, or the ACK that belongs to it. */
  onRequest(request: SipMessage, flow: Flow): void {
    if (request.method === "ACK") {
      if (this.#state === "accepted") this.user?.onAck(request, flow);
      else this.#input("ack", undefined);
    } else this.#input("request", undefined);
  }

  #input(input: ServerInput, response: SipMessage | undefined): void {
    const row = this.invite
      ? serverInvite[this.#state as ServerInviteState]
      : serverNonInvite[this.#state as ServerNonInviteState];
    const step = row[input];
    if (step === undefined) return;
    this.#enter(step.next);
    for (const action of step.actions) this.#run(action, response);
  }

  #enter(next: ServerInviteState | ServerNonInviteState): void {
    if (next === this.#state) return;
    this.#state = next;
    if (next === "terminated") this.end();
  }

  /** Frees it at once. */
  end(): void {
    this.#state = "terminated";
    this.#retransmission?.cancel();
    this.#timeout?.cancel();
    this.#wire = "";
    this.#parts.terminated(this);
  }

  #run(action: ServerAction, response: SipMessage | undefined): void {
    const { t1, t2, t4 } = this.#parts.timers;
    const reliable = this.flow.reliable;
    switch (action) {
      case "sendResponse": {
        if (response === undefined) return;
        this.#status = response.status;
        if (this.#status >= 200 || this.invite) this.#retransmission?.cancel();
        const wire = response.toString();
        // Over a reliable flow only who takes over from a dead sender asks for it again.
        this.#wire = reliable && !this.#keeps ? "" : wire;
        if (this.#status >= 200 && !this.invite) {
          // Over UDP it stays for 32 s: nothing of the procedure may stay with it.
          this.request = RELEASED;
          this.user = undefined;
        }
        if (!this.flow.send(wire) && !this.#parts.sendElsewhere(response, this.flow))
          this.#input("transportError", undefined);
        return;
      }
      case "resendResponse":
        if (this.#wire !== "") this.flow.send(this.#wire);
        return;
      case "passAckUp":
      case "informNoAck":
        return;
      case "startG":
        if (reliable || this.#state === "terminated") return;
        this.#retransmission = this.#parts.clock.setTimer(this.#interval, () =>
          this.#input("timerG", undefined),
        );
        this.#interval = Math.min(this.#interval * 2, t2);
        return;
      case "startH":
        return this.#expire("timerH", 64 * t1);
      case "startI":
        return this.#expire("timerI", reliable ? 0 : t4);
      case "startJ":
        return this.#expire("timerJ", !reliable ? 64 * t1 : this.#keeps ? LINGER_MS : 0);
      case "startL":
        if (reliable && this.#keeps) this.#forgetSoon();
        else this.#wire = "";
        return this.#expire("timerL", 64 * t1);
      case "stopRetransmission":
        this.#retransmission?.cancel();
        return;
      case "stopTimeout":
        this.#timeout?.cancel();
        return;
    }
  }

  #forgetSoon(): void {
    this.#retransmission = this.#parts.clock.setTimer(LINGER_MS, () => {
      this.#wire = "";
    });
  }

  #expire(input: ServerInput, ms: number): void {
    this.#timeout?.cancel();
    if (this.#state === "terminated") return;
    if (ms === 0) this.#input(input, undefined);
    else this.#timeout = this.#parts.clock.setTimer(ms, () => this.#input(input, undefined));
  }
}
