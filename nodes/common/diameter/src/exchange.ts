import type { Result, ResultAvps } from "./base/result.ts";
import type { AvpsOf, CommandPair } from "./codec/command.ts";
import type { UnavailableCause } from "./request-router.ts";

/** AVPs that the node fills in. */
type RequestHead =
  | "sessionId"
  | "vendorSpecificApplicationId"
  | "authSessionState"
  | "originHost"
  | "originRealm"
  | "destinationHost"
  | "destinationRealm"
  | "originStateId"
  | "routeRecord"
  | "proxyInfo";
type AnswerHead = Exclude<RequestHead, "destinationHost" | "destinationRealm">;

/** What a caller says in a request. */
export type RequestAvps<P extends CommandPair> = Omit<AvpsOf<P["request"]>, RequestHead>;
/** What a handler says in an answer, `resultCode` or `experimentalResult` among it. */
export type AnswerAvps<P extends CommandPair> = Omit<AvpsOf<P["answer"]>, AnswerHead>;
/** What came in an answer: an error answer may lack anything. */
export type ReceivedAnswer<P extends CommandPair> = Partial<AvpsOf<P["answer"]>> & ResultAvps;

export interface RequestOptions {
  readonly destinationRealm: string;
  readonly destinationHost?: string | undefined;
  /** Of an existing session; default: a new one. */
  readonly sessionId?: string | undefined;
  /** It may have been sent before, by this node or another one: the T bit (RFC 6733 §3). */
  readonly retransmission?: boolean | undefined;
  /** For one try, default 1,000. A second one, at another peer, gets what is left of 1.9 times this. */
  readonly timeoutMs?: number | undefined;
}

/** How a request ended. */
export type Outcome<P extends CommandPair> =
  | {
      readonly kind: "answer";
      readonly avps: ReceivedAnswer<P>;
      /** From Result-Code or Experimental-Result. */
      readonly result: Result;
      readonly peer: string;
    }
  | { readonly kind: "timeout" }
  | { readonly kind: "unavailable"; readonly cause: UnavailableCause };

/** A request of a peer. */
export interface DiameterRequest<P extends CommandPair> {
  readonly avps: AvpsOf<P["request"]>;
  readonly endToEnd: number;
  /** The T bit: it may have been sent before. */
  readonly retransmitted: boolean;
}

/** Who is at the other end. */
export interface PeerInfo {
  readonly originHost: string;
  readonly originRealm: string;
  readonly remoteAddress: string;
}

export type Handler<P extends CommandPair> = (
  request: DiameterRequest<P>,
  peer: PeerInfo,
) => AnswerAvps<P> | Promise<AnswerAvps<P>>;
