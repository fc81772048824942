/** How a node of Cassandra is to start. */
export interface RingStart {
  /** Addresses of nodes that are in the ring, or its own when it is the first. */
  readonly seeds: readonly string[];
  /** It comes in: as the first of all, into a range of its own, or in the place of the node at this address. */
  readonly enters?: "first" | "bootstrap" | { readonly replaces: string };
}

/** The Cassandra of this machine. What rejects is tried again later; each may be asked for what is done already. */
export interface CassandraControl {
  /** It has never been in the ring, or its data are lost. */
  fresh(): Promise<boolean>;
  /** Resolves when it is in the ring (mode NORMAL). */
  start(start: RingStart, signal: AbortSignal): Promise<void>;
  /** Resolves when the others have its ranges; it is fresh then. */
  decommission(signal: AbortSignal): Promise<void>;
  /** Takes a dead node out; resolves when the others have its ranges. */
  removeNode(address: string, signal: AbortSignal): Promise<void>;
  cleanup(signal: AbortSignal): Promise<void>;
  repair(signal: AbortSignal): Promise<void>;
}
