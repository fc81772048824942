import type { KeyObject } from "node:crypto";
import type { Clock } from "@ims/runtime";
import type { Hop } from "../failover/hop.ts";
import type { ProbeOptions } from "../failover/hop-prober.ts";
import type { Policies } from "../failover/policy.ts";
import type { SipMessage } from "../message/message.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import type { TransactionTimers } from "../transaction/timers.ts";
import type { Flow, TransportHandler, TransportLayer } from "../transport/transport.ts";
import type { Locator } from "./locator.ts";
import type { TransactionUser } from "./transaction-user.ts";

/** A trust zone: who gets its requests when no Route names an entity, and how closely messages are checked. */
export interface Side {
  readonly name: string;
  readonly entity: TransactionUser;
  /** Outside the trust domain: full syntax checks, no responses by Via, stray responses dropped. */
  readonly strict: boolean;
  /** May responses come from this address over a connection that the request did not take? Default: from any. */
  readonly answers?: (address: string) => boolean;
  /**
   * Sent-by of our Via, "host" or "host:port", in place of where the side listens: the name of the pool. Any member gets the
   * answers then when the one that asked is gone, and passes them on (RFC 3261 §16.11).
   */
  readonly sentBy?: string | undefined;
}

export interface ProxyCoreOptions {
  readonly sides: readonly Side[];
  readonly locator: Locator;
  readonly clock: Clock;
  /** Called once with the core as handler. */
  readonly transport: (handler: TransportHandler) => TransportLayer;
  readonly timers?: TransactionTimers;
  /** option-tags that may stand in Proxy-Require (RFC 3261 §16.3 step 5). */
  readonly proxyRequire?: readonly string[];
  /** Longest request sent over UDP without trying TCP first (RFC 3261 §18.1.1). */
  readonly udpLimit?: number;
  /** A procedure threw: a defect; the request is answered 500. */
  readonly onDefect: (error: unknown, request: SipMessage) => void;
  readonly counters?: ProxyCounters;
  /** Keeps what came, went and was decided. */
  readonly trail?: SipTrail | undefined;
  /** Sheds new work when there is too much of it, and RFC 7339 with neighbours. */
  readonly overload?: OverloadControl;
  /** Key of the branches, one for the members of a pool, at least 128 bits; default: this process is no member of one. */
  readonly poolKey?: KeyObject | undefined;
  /**
   * Takes a response that came by UDP from outside the trust domain and is to no request of ours, but to one of our pool: the port is
   * shared, and the one that asked is another process. False: it is nobody's.
   */
  readonly handOver?: ((text: string, flow: Flow) => boolean) | undefined;
  /** Time-outs, retries, breakers and balancing by method. */
  readonly policies?: Policies;
  /** How next hops on trusted sides are watched. */
  readonly probe?: Partial<ProbeOptions>;
  /** A next hop went out of service, or came back. */
  readonly onHopChange?: (hop: Hop) => void;
}

/** Told of what passes; implementations only count. */
export interface ProxyCounters {
  request(method: string, side: string): void;
  /** A final response left for a request of that method. */
  response(method: string, status: number, side: string): void;
  /** The first final response to a request left, so long after it came. Not of what was refused before it had a transaction. */
  answered?(method: string, side: string, ms: number): void;
  /** A call outside a dialog rings, or was answered with a 2xx, so long after its INVITE came. */
  setUp?(stage: "ringing" | "answered", side: string, ms: number): void;
  dropped(reason: "unreadable" | "response" | "ack" | "stale", side: string): void;
}
