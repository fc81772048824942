/**
 * Upper bounds for what machines answer, s: from a store in the same rack to timers B and F of RFC 3261 (64*T1, 32 s), after which
 * nobody waits any more.
 */
export const LATENCY_SECONDS: readonly number[] = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 32,
];

/** Upper bounds for the set-up of calls, s: a phone rings at once and is answered after up to Timer C of RFC 3261 (3 minutes). */
export const SET_UP_SECONDS: readonly number[] = [
  0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 181,
];
