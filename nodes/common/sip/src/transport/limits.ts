/** What a transport layer grants its peers. Times in ms. */
export interface TransportLimits {
  /** Start-line, headers and body of one message. */
  readonly maxMessageBytes: number;
  /** Connections in all, accepted and dialled. */
  readonly maxConnections: number;
  /** Accepted connections from one address. */
  readonly maxConnectionsPerSource: number;
  /** Bytes that wait for a peer that does not read; above it the connection is cut. */
  readonly maxQueuedBytes: number;
  /** From the first byte of a message to its last. */
  readonly partialMs: number;
  /** A connection without traffic is closed. */
  readonly idleMs: number;
  readonly connectMs: number;
  /** A dialled connection serves new messages for so long, give or take a fifth; then another one is dialled. 0: for ever. */
  readonly maxAgeMs: number;
  /** What has served its time is closed after that long without traffic. */
  readonly retiredIdleMs: number;
  /** TLS and WebSocket handshakes of accepted connections. */
  readonly handshakeMs: number;
  /** How long a closing connection may take to get rid of its queue. */
  readonly closeMs: number;
  readonly maxUdpFlows: number;
  /** A UDP flow without traffic and without attachment is forgotten. */
  readonly udpIdleMs: number;
  /** After a standstill of this process longer than that, requests are dropped that may have waited in its sockets so long. */
  readonly staleMs: number;
}

export const defaultLimits: TransportLimits = {
  maxMessageBytes: 65_536,
  maxConnections: 50_000,
  maxConnectionsPerSource: 1_000,
  maxQueuedBytes: 1_048_576,
  partialMs: 30_000,
  idleMs: 600_000,
  connectMs: 2_000,
  maxAgeMs: 1_800_000,
  retiredIdleMs: 40_000,
  handshakeMs: 10_000,
  closeMs: 1_000,
  maxUdpFlows: 500_000,
  udpIdleMs: 600_000,
  // Timers B and F: nobody waits for an answer any more.
  staleMs: 32_000,
};

/**
 * Among trusted nodes: the longest message from outside with what each hop adds, and the bursts of many such senders. A neighbour
 * gives a silent hop up within seconds and does what was under way elsewhere.
 */
export const trustedLimits = {
  maxMessageBytes: 262_144,
  maxQueuedBytes: 67_108_864,
  staleMs: 4_000,
} as const satisfies Partial<TransportLimits>;
