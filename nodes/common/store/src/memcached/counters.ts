/** Plain numbers that only grow; whoever exposes metrics reads them when asked. */
export interface MemcachedCounters {
  gets: number;
  puts: number;
  deletes: number;
  /** Operations that ended as unavailable. */
  unavailable: number;
  /** Writes that lost against another one. */
  contention: number;
  /** Operations that worked with fewer replicas than there should be. */
  degraded: number;
  /** Copies brought up to date while reading. */
  repairs: number;
  /** Repairs that overrode a write which the winner does not descend from. */
  conflicts: number;
  /** Copies that were no entry of ours, or of a newer format. */
  rubbish: number;
  /** Connections given up because a reply was overdue. */
  timeouts: number;
  /** Connections given up because a server did not speak the protocol. */
  broken: number;
  /** Connections made after the first one. */
  reconnects: number;
  /** Entries compared by resynchronisation. */
  resynchronized: number;
  /** Entries noted for repair because a replica missed a write. */
  missed: number;
}

export function newCounters(): MemcachedCounters {
  return {
    gets: 0,
    puts: 0,
    deletes: 0,
    unavailable: 0,
    contention: 0,
    degraded: 0,
    repairs: 0,
    conflicts: 0,
    rubbish: 0,
    timeouts: 0,
    broken: 0,
    reconnects: 0,
    resynchronized: 0,
    missed: 0,
  };
}
