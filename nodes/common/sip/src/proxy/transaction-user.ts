import type { SipMessage } from "../message/message.ts";
import type { Uri } from "../message/uri.ts";
import type { Flow, Target } from "../transport/transport.ts";

/** 3GPP functional entities that sit on the transaction layer (TS 23.228 §4.6). */
export type FunctionalEntity = "P-CSCF" | "I-CSCF" | "S-CSCF" | "E-CSCF" | "BGCF" | "IBCF" | "AS";

/**
 * RFC 3261 §5 "transaction user". A functional entity gets requests through ProxyCore, which owns transactions,
 * forks, CANCEL, best response (§16.7), Timer C and fail-over. Entities of one process reach each other by Route and
 * Request-URI only; ProxyCore turns such a hop into a function call.
 */
export interface TransactionUser {
  readonly functionalEntity: FunctionalEntity;
  /** Is this URI (top Route, else Request-URI) one of this entity's own? */
  accepts(uri: Uri): boolean;
  /** Every request but CANCEL and ACK. Must end in respond() or at least one fork(); a throw or rejection becomes 500. */
  onRequest(context: RequestContext): void | Promise<void>;
  /**
   * Does an ACK without a transaction here acknowledge the refusal of an initial INVITE that another member of the pool has handled?
   * Told from that of a 2xx by its Route, which is the INVITE's. It goes the way of the INVITE. Default: no.
   */
  isOfRefusal?(ack: SipMessage): boolean;
  /** ACK for a 2xx; default: ProxyCore pops our Route values and forwards by what remains. */
  onAck?(context: AckContext): void;
  /**
   * A 2xx to INVITE of one more UAS, after the procedure of the request is over (RFC 3261 §16.7 step 5: it is forwarded, our
   * Via is off). May edit it; false drops it. Default: it goes on as it is.
   */
  onFurtherAnswer?(response: SipMessage, from: Flow, to: Flow): boolean;
}

/**
 * Where a request goes: one flow; listed addresses tried in order; or (default) its top Route, else its Request-URI by RFC 3263.
 * `sole`: nowhere else, so its branch follows from whence it came alone; sent again because flow and contact of its UE have changed,
 * it is the same request for that UE.
 */
export type Destination =
  | { readonly kind: "flow"; readonly flow: Flow; readonly sole?: boolean }
  | { readonly kind: "targets"; readonly side: string; readonly targets: readonly Target[] }
  | { readonly kind: "uri"; readonly side: string; readonly uri?: Uri };

export interface ForkOptions {
  readonly destination: Destination;
  /** Final answer not here by then: CANCEL and 408. Defaults: INVITE Timer C 180 s after the last provisional, others Timer F. */
  readonly timeoutMs?: number;
  /**
   * No response at all, not even 100, by then: 408 made here, whoever was asked (hops outside this process). Who begins to answer
   * an INVITE after that is sent a CANCEL (RFC 3261 §9.1); its 2xx is still shown to onResponse. Who sets it judges the health
   * of the target himself: no breaker refuses the request.
   */
  readonly firstResponseMs?: number;
  /**
   * A fork that has failed, for the same UAS by another way: this one has its branch. Who got the first one takes it for a copy then,
   * not for another request to refuse (RFC 3261 §8.2.2.2).
   */
  readonly continues?: Fork;
  /** Branches of the parallel search this fork is one of: Max-Breadth is shared among them (RFC 5393 §5.3.3). */
  readonly parallel?: number;
  /**
   * Sees every response of this fork but 100, also those made here (408 on timeout, 503 when no target could be reached;
   * `local` is then true). It may edit the response. "absorb" ends the fork without a trace: the procedure forks again or
   * responds itself.
   */
  onResponse?(response: SipMessage, fork: Fork, local: boolean): "absorb" | "forward" | undefined;
}

export interface Fork {
  readonly request: SipMessage;
  /** Final response received, absorbed or made. */
  readonly done: boolean;
  /** The flow the request left on; undefined for a hop inside the process or before the target is known. */
  readonly flow: Flow | undefined;
  /** RFC 3261 §16.10: CANCEL once a provisional response is there. */
  cancel(): void;
}

export interface RespondOptions {
  readonly reason?: string;
  /** What only the trail is told, of answers that mean no. */
  readonly why?: string;
  /**
   * Nothing of the request is kept after this final response: no retransmissions, and its own are new requests (RFC 3261
   * §8.2.7). For strangers: what they send shall cost no memory, nor be answered many times to an address they made up.
   */
  readonly stateless?: boolean;
  /** Header fields to add before it leaves. */
  edit?(response: SipMessage): void;
}

/** What a decision came to, for the trail. Copied at once. */
export type DecisionFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One request at one functional entity, from its arrival to its final response. The only thing a procedure may touch. */
export interface RequestContext {
  /** As received (with received/rport in the top Via). Never edit it; edit forward(). */
  readonly request: SipMessage;
  /** The flow it entered the process on, also after a hop inside the process. */
  readonly flow: Flow;
  /** The entity of this process that handed it over, if any. */
  readonly from: FunctionalEntity | undefined;
  /** The uppermost request of this process is cancelled (CANCEL came) or its flow has failed. */
  readonly cancelled: boolean;
  /** A final response has been sent. */
  readonly answered: boolean;

  /** A copy to edit and fork: Max-Forwards counted down (RFC 3261 §16.6 step 3). */
  forward(): SipMessage;
  /** Sends the request on; several forks make a parallel search whose best response goes upstream (§16.7). */
  fork(request: SipMessage, options: ForkOptions): Fork;
  /** Sends a response of our own; a final one cancels the forks still open. */
  respond(status: number, options?: RespondOptions): void;
  /** Sends a response got elsewhere (an absorbed one) upstream. */
  relay(response: SipMessage): void;
  /** Sees and may edit every response (ours too) on its way upstream, in reverse order of registration. */
  onUpstream(edit: (response: SipMessage) => void): void;
  cancelForks(): void;
  /** Tells the trail what was decided about the request ("iFC", "ENUM", "BGCF"); free when there is none. */
  decided(what: string, fields: DecisionFields): void;
}

export interface AckContext {
  readonly request: SipMessage;
  readonly flow: Flow;
  forward(): SipMessage;
  send(request: SipMessage, destination: Destination): void;
}

/** Outcome of a request that a node originates itself (RFC 3261 §8.1): the final response, made here (408, 503) if none came. */
export interface OriginatedHandler {
  onProvisional?(response: SipMessage): void;
  onFinal(response: SipMessage, local: boolean): void;
}

/** What a node's composition root gets from @ims/sip besides RequestContexts. */
export interface RequestOriginator {
  /** Sends a request of our own (third-party REGISTER, NOTIFY, OPTIONS). Via, Max-Forwards, Content-Length are added. */
  originate(request: SipMessage, destination: Destination, handler: OriginatedHandler): Fork;
}
