/** Timer values in ms: RFC 3261 table 4, RFC 6026 §7 (L, M), RFC 4320 §4.1. */
export interface TransactionTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** Timer D: wait for response retransmissions over UDP. */
  readonly d: number;
  /** How long the transaction user may take before 100 Trying is sent for it (RFC 3261 §17.2.1). */
  readonly trying: number;
}

export const DEFAULT_TIMERS: TransactionTimers = Object.freeze({
  t1: 500,
  t2: 4000,
  t4: 5000,
  d: 32_000,
  trying: 200,
});
