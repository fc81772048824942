import type { Clock, Timer } from "@ims/runtime";
import { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { responseTo } from "../message/response.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import type { Flow } from "../transport/transport.ts";
import { KeptText } from "./kept-text.ts";
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
}

export interface ServerTransactionParts {
  readonly clock: Clock;
  readonly timers: TransactionTimers;
  readonly terminated: (transaction: ServerTransaction) => void;
  /** Non-INVITE over an unreliable transport: from its final response to Timer J others keep what is left of it (RFC 3261 §17.2.2). */
  readonly answered: (transaction: ServerTransaction, wire: string) => void;
  /** ACK of a 2xx that came while the transaction still absorbs retransmissions (RFC 6026 §7.1). */
  readonly onAck: (ack: SipMessage, flow: Flow) => void;
  /** Sends a response that cannot go back over its flow (RFC 3261 §18.2.2). */
  readonly sendElsewhere: (response: SipMessage, flow: Flow) => boolean;
  /** May the request come again over another connection, because the pool member that sent it died? */
  readonly maySendAgain: (flow: Flow) => boolean;
  readonly trail?: SipTrail | undefined;
}

/** How long a final response is kept for a request that comes again over another connection, ms. */
const LINGER_MS = 500;

const RELEASED = SipMessage.request("", "");

/**
 * A server transaction: RFC 3261 §17.2. Owns the request and its user until the final response; what stays for Timers H, I
 * and L is flat: the key and the last response.
 */
export class ServerTransaction {
  readonly key: string;
  /** The last one it came on. */
  flow: Flow;
  /** Empty after the final response. */
  request: SipMessage;
  readonly method: string;
  readonly invite: boolean;
  /** When the request came, by the monotonic clock, ms. */
  readonly receivedAt: number;
  /** 180 (Ringing) has been sent. */
  rang = false;
  user: ServerTransactionUser | undefined;
  readonly #parts: ServerTransactionParts;
  /** The last response is kept over reliable flows too. Not what a registrar or poll answers: asking again does no harm. */
  readonly #keeps: boolean;
  #state: ServerInviteState | ServerNonInviteState;
  /** Last response as sent, or the first 2xx to INVITE; undefined where nobody will ask for it again. */
  #wire: KeptText | undefined;
  #status = 0;
  #stateless = false;
  #retransmission: Timer | undefined;
  #timeout: Timer | undefined;
  #interval: number;

  constructor(key: string, request: SipMessage, flow: Flow, parts: ServerTransactionParts) {
    this.key = key;
    this.request = request;
    this.flow = flow;
    const { method } = request;
    this.method = method;
    this.invite = method === "INVITE";
    this.receivedAt = parts.clock.monotonic();
    this.#parts = parts;
    this.#state = this.invite ? "proceeding" : "trying";
    this.#interval = parts.timers.t1;
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

  /**
   * Sends a response whose top Via is the request's. A second final response (but 2xx to INVITE) is ignored. `stateless`: nothing is kept
   * after a final one (RFC 3261 §8.2.7).
   */
  respond(response: SipMessage, stateless = false): void {
    const status = response.status;
    this.#stateless = stateless;
    // RFC 4320 §4.1: no 1xx to a non-INVITE before Timer E is at T2; we never send one.
    if (status < 200 && !this.invite) return;
    this.#input(status < 200 ? "1xx" : status < 300 ? "2xx" : "300-699", response);
    if (stateless && status >= 200 && this.#state !== "terminated") this.end();
  }

  /** The UAS has sent its 2xx to INVITE again (RFC 3261 §13.3.1.4, RFC 6026 §7.1): so do we. */
  resend(): void {
    if (this.#state === "accepted") this.#sendAgain();
  }

  /** A retransmission of the request, or the ACK that belongs to it. */
  onRequest(request: SipMessage, flow: Flow): void {
    if (request.method === "ACK") {
      if (this.#state === "accepted") this.#parts.onAck(request, flow);
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
    this.#wire?.release();
    this.#wire = undefined;
    this.#parts.terminated(this);
  }

  #sendAgain(): void {
    const text = this.#wire?.toString() ?? "";
    if (text === "") return;
    if (this.flow.send(text)) return this.#parts.trail?.sentText(text, this.flow);
    const parsed = parseMessage(text);
    if (parsed.kind === "message") this.#parts.sendElsewhere(parsed.message, this.flow);
  }

  #run(action: ServerAction, response: SipMessage | undefined): void {
    const { t1, t2, t4 } = this.#parts.timers;
    const reliable = this.flow.reliable;
    switch (action) {
      case "sendResponse": {
        if (response === undefined) return;
        const again = this.#status >= 200;
        this.#status = response.status;
        const final = this.#status >= 200;
        if (final || this.invite) this.#retransmission?.cancel();
        const accepted = final && this.#status < 300 && this.invite;
        const leaves = final && !this.invite && !reliable;
        const wire = response.toString();
        // Over a reliable flow only the 2xx to INVITE may be needed again, and what who takes over from a dead sender asks for.
        if (!again) {
          this.#wire?.release();
          const keeps = accepted || !reliable || this.#keeps;
          this.#wire = keeps && !leaves ? new KeptText(wire) : undefined;
        }
        if (final) {
          // It stays for up to 32 s: nothing of the procedure may stay with it.
          this.request = RELEASED;
          this.user = undefined;
        }
        if (this.flow.send(wire, response)) this.#parts.trail?.sent(response, wire, this.flow);
        else if (!this.#parts.sendElsewhere(response, this.flow))
          return this.#input("transportError", undefined);
        if (leaves && !this.#stateless) this.#parts.answered(this, wire);
        return;
      }
      case "resendResponse":
        this.#sendAgain();
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
        if (this.#state === "terminated") return;
        if (!reliable) return this.end();
        return this.#expire("timerJ", this.#keeps ? LINGER_MS : 0);
      case "startL":
        return this.#expire("timerL", 64 * t1);
      case "stopRetransmission":
        this.#retransmission?.cancel();
        return;
      case "stopTimeout":
        this.#timeout?.cancel();
        return;
    }
  }

  #expire(input: ServerInput, ms: number): void {
    this.#timeout?.cancel();
    if (this.#state === "terminated") return;
    if (ms === 0) this.#input(input, undefined);
    else this.#timeout = this.#parts.clock.setTimer(ms, () => this.#input(input, undefined));
  }
}
