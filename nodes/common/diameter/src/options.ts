import type { TlsOptions } from "node:tls";
import type { Clock, Logger, LoopPacer, MetricsRegister, ServerTls, Trail } from "@ims/runtime";
import type { Application } from "./codec/command.ts";
import type { PeerIdentity } from "./peer/capabilities.ts";
import type { PeerTiming } from "./peer/peer-context.ts";

export interface DiameterNodeOptions {
  readonly originHost: string;
  readonly originRealm: string;
  readonly productName: string;
  /** Vendor-Id in CER and CEA: an IANA enterprise number, 0 for none. */
  readonly vendorId?: number;
  /** Host-IP-Address; default: the local address of each connection. */
  readonly hostAddresses?: readonly string[];
  readonly applications: readonly Application[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly register?: MetricsRegister;
  /** First part of the metric names. Default "ims_diameter". */
  readonly metricsPrefix?: string;
  /** Peers that connect by themselves and are not configured. Default: all are admitted. */
  readonly admits?: (identity: PeerIdentity, remoteAddress: string) => boolean;
  readonly timing?: Partial<PeerTiming>;
  /** Longest message taken or sent, bytes. Default 65,536. */
  readonly maxMessageLength?: number;
  /** Requests of this node under way at a time. Default 100,000. */
  readonly maxPending?: number;
  /** Requests of one connection in work at a time; more are answered 3004. Default 10,000. */
  readonly maxInWork?: number;
  /** Told of every message read. */
  readonly pacer?: LoopPacer;
  /** Keeps the messages of the applications, without authentication data. */
  readonly trail?: Trail | undefined;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
}

/** Waits as a CSCF needs them: a peer that restarts is back within a second, a dead one noticed within two. */
export const defaultTiming: PeerTiming = {
  connectTimeoutMs: 2_000,
  capabilitiesTimeoutMs: 5_000,
  disconnectTimeoutMs: 1_000,
  firstReconnectMs: 100,
  // RFC 6733 §12: Tc 30 s recommended.
  reconnectMs: 30_000,
  // RFC 3539 §3.4.1: Tw 30 s by default.
  watchdogMs: 30_000,
  probeMs: 500,
};

export interface ListenOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  readonly tls?: TlsOptions;
  /** TLS among nodes of the core, with certificates that are renewed; takes the place of `tls`. */
  readonly coreTls?: ServerTls;
}
