import type { TrailEnds } from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";

/** RFC 3261 §18, RFC 7118: the transports of this stack, spelled as in Via. */
export type TransportProtocol = "UDP" | "TCP" | "TLS" | "WS" | "WSS";

/** For texts under way what was made of them, once. */
export interface HandedTexts {
  put(text: string, made: string): void;
  /** Undefined when nothing was put for it, or too much after it. */
  take(text: string): string | undefined;
}

/**
 * A flow (RFC 5626 §3): a UDP 5-tuple or a connection. `side` names the listener or pool it belongs to
 * (a trust zone such as "access" or "core"), so that a message never changes zone by accident.
 */
export interface Flow {
  /** Unique in this process for its lifetime; never reused. */
  readonly id: number;
  readonly side: string;
  readonly protocol: TransportProtocol;
  /** TCP, TLS, WS, WSS: timers A, E, G, I, J, K are zero or off. */
  readonly reliable: boolean;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly open: boolean;
  /**
   * Queues one message (latin1 text); everything queued in one turn of the loop leaves in one write. False when the flow is closed. `message`:
   * what the text was made from; a node of the same process is handed a copy of it.
   */
  send(text: string, message?: SipMessage): boolean;
  close(): void;
  /** On connections: cuts it at once. What the far end has not received by now it never will, whatever TCP has kept of it. */
  reset?(): void;
  /**
   * Called once, never from within the call that closes: also when an outgoing connection could not be opened and
   * when the flow was closed before. The same function is kept once.
   */
  onClose(listener: (flow: Flow) => void): void;
  /** Takes an onClose listener back. */
  offClose(listener: (flow: Flow) => void): void;
  /** Per-flow state of the functional entity above (bono: who is registered over it). */
  attachment: object | undefined;
  /** On connections: their ends as the trail names them, once it has. Not in a WeakMap, which the collector looks through while everything stands still. */
  trailEnds?: TrailEnds | undefined;
  /** On connections that we opened: asks the far end for a sign of life (RFC 5626 §4.4.1). False when the flow is closed. */
  readonly ping?: (() => boolean) | undefined;
  /** How many of those it has answered. */
  readonly pongs?: number;
  /** When octets last came (monotonic ms). */
  readonly lastReceived?: number;
  /** While one of its messages is handled: how long that has waited for it, ms; undefined where the transport is not told. */
  readonly waitedMs?: number | undefined;
  /** Octets that wait for the far end to read. */
  readonly queuedBytes?: number;
  /** Between nodes of one process: what one end has made of a text for the other, which receives the same. */
  readonly handed?: HandedTexts | undefined;
}

/** Why a stream cannot go on: RFC 3261 §18.3, §20.14. */
export type GarbageReason =
  | "tooLarge"
  | "notSip"
  | "noContentLength"
  | "badContentLength"
  | "conflictingContentLength"
  | "incomplete";

/** What sits on the transports: gets whole messages, framed; parsed only where they were handed over. */
export interface TransportHandler {
  /** `message`: what the text says, where it comes from a node of the same process; it belongs to the handler. */
  onMessage(text: string, flow: Flow, message?: SipMessage): void;
  /**
   * Bytes that can be no SIP message (size limit, bad framing, never completed). `text` is what arrived of it, at most
   * the size limit. The stream is closed after this returns and after what was sent on the flow meanwhile.
   */
  onGarbage?(flow: Flow, reason: GarbageReason, text: string): void;
  /** RFC 5626 §4.4: a keep-alive of the peer was answered (on UDP: CRLFs or STUN on a known flow). */
  onKeepAlive?(flow: Flow): void;
  /** A request on this side, or a connection with some, was dropped: it may have waited while this process stood still. */
  onStale?(side: string): void;
}

export interface ListenOptions {
  readonly side: string;
  readonly protocol: TransportProtocol;
  readonly host: string;
  /** 0 takes a port from the OS. */
  readonly port: number;
  /** PEM texts; needed for TLS and WSS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Other processes listen there as well. Default: this one alone. */
  readonly shared?: SharedPort | undefined;
}

/** A port of several processes: the kernel gives each of them its share of connections and of the far ends of datagrams. */
export interface SharedPort {
  /** UDP: descriptor of the bound socket that is ours; without one we bind our own. */
  readonly descriptor?: number | undefined;
}

export interface ListeningPoint {
  readonly side: string;
  readonly protocol: TransportProtocol;
  readonly host: string;
  readonly port: number;
}

export interface Target {
  readonly protocol: TransportProtocol;
  /** An IP address; names are resolved before (RFC 3263, resolver/locate.ts). */
  readonly address: string;
  readonly port: number;
  /** For certificate checks. */
  readonly serverName?: string;
  /** Place of its priority among those found, 0 the best: targets of one place are equals. Default: 0. */
  readonly priority?: number;
}

/** Port of the transport layer; the real one is NodeTransportLayer, the test one FakeTransportLayer. */
export interface TransportLayer {
  listen(options: ListenOptions): Promise<ListeningPoint>;
  readonly listeningPoints: readonly ListeningPoint[];
  /** An open or opening flow to the target on this side: reuses a connection, else dials; messages sent meanwhile wait. */
  flowTo(target: Target, side: string): Flow;
  /** The flow with this id while it is open. */
  flow(id: number): Flow | undefined;
  /** A UDP flow that can be made again from its addresses although this process never saw it (any member of the pool). */
  udpFlow(side: string, localPort: number, remoteAddress: string, remotePort: number): Flow | undefined;
  /** Takes no more connections on a side; those there are, and UDP, live on. */
  stopListening?(side: string): void;
  /** Stops listening, closes connections after their queued writes. */
  stop(): Promise<void>;
  /** No flow can be had any more. */
  readonly stopped?: boolean;
}
