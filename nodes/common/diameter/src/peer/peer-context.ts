import type { Clock } from "@ims/runtime";
import type { Dictionary } from "../codec/command.ts";
import type { DecodedAvps, MessageFault } from "../codec/decode.ts";
import type { Header } from "../codec/header.ts";
import type { DiameterMetrics } from "../metrics.ts";
import type { DiameterTrail } from "../trail/diameter-trail.ts";
import type { LocalNode } from "./capabilities.ts";
import type { Connection, ConnectionHandler, Endpoint } from "./connection.ts";
import type { Peer } from "./peer.ts";

/** Waits of the peer machinery, in ms. */
export interface PeerTiming {
  readonly connectTimeoutMs: number;
  readonly capabilitiesTimeoutMs: number;
  readonly disconnectTimeoutMs: number;
  /** The first try to come back, doubled until it is `reconnectMs`. */
  readonly firstReconnectMs: number;
  /** Tc. */
  readonly reconnectMs: number;
  /** Tw. */
  readonly watchdogMs: number;
  /** Tw while a silence is being looked into. */
  readonly probeMs: number;
}

/** What a peer tells the node it belongs to. */
export interface PeerOwner {
  opened(peer: Peer): void;
  /** No new requests, and those under way go elsewhere; the connection may still stand. */
  unusable(peer: Peer): void;
  /** The connection is gone. */
  closed(peer: Peer): void;
  /** True: another peer object has the better connection to the same node. */
  duplicate(peer: Peer): boolean;
  request(peer: Peer, connection: Connection, bytes: Buffer, start: number, end: number): void;
  answer(peer: Peer, header: Header, bytes: Buffer, start: number, end: number): void;
  /** Calls back once every request that came over the connection has its answer. */
  whenIdle(connection: Connection, done: () => void): void;
  /** Sends an error answer. */
  refuse(connection: Connection, header: Header, fault: MessageFault, avps?: DecodedAvps): void;
}

/** What all peers of a node share. */
export interface PeerContext {
  readonly local: LocalNode;
  readonly dictionary: Dictionary;
  readonly clock: Clock;
  readonly timing: PeerTiming;
  readonly metrics: DiameterMetrics;
  readonly owner: PeerOwner;
  readonly trail?: DiameterTrail | undefined;
  /** In [0, 1). */
  readonly random: () => number;
  nextEndToEnd(): number;
  connect(endpoint: Endpoint, handler: ConnectionHandler): Connection;
}
