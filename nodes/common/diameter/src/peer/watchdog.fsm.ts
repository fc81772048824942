/** Transport failure detection: RFC 3539 §3.4.1. */

export const watchdogStates = ["initial", "okay", "suspect", "down", "reopen"] as const;
export type WatchdogState = (typeof watchdogStates)[number];

/** The events of the RFC, its conditions on Pending and NumDWA folded in. */
export const watchdogInputs = [
  "connectionUp",
  "connectionDown",
  /** DWA; in REOPEN: NumDWA < 2. */
  "dwa",
  /** DWA with NumDWA == 2. */
  "thirdDwa",
  "otherMessage",
  /** Timer expires, no DWR outstanding. */
  "timer",
  /** Timer expires, Pending. In REOPEN: NumDWA >= 0. */
  "timerPending",
  /** Timer expires in REOPEN, Pending, NumDWA == -1. */
  "timerPendingAgain",
] as const;
export type WatchdogInput = (typeof watchdogInputs)[number];

export type WatchdogAction =
  | "setWatchdog"
  | "stopWatchdog"
  | "sendWatchdog"
  | "setPending"
  | "clearPending"
  | "failover"
  | "failback"
  | "closeConnection"
  | "resetDwa"
  | "countDwa"
  | "missDwa";

export interface WatchdogStep {
  readonly next: WatchdogState;
  readonly actions: readonly WatchdogAction[];
}

function step(next: WatchdogState, ...actions: WatchdogAction[]): WatchdogStep {
  return { next, actions };
}

/**
 * Deviates from RFC 3539 §3.4.1 in two places. AttemptOpen() is not here: the peer state machine reconnects by itself, on Tc.
 * A connection that goes down by itself leads to INITIAL, not DOWN: its end was told by the transport, the CER/CEA of the
 * next one proves the peer alive, and three watchdog rounds before the first request would be a minute of outage. DOWN, and
 * so REOPEN, is for a peer that had stopped to answer.
 */
export const watchdogFsm: Readonly<
  Record<WatchdogState, Readonly<Partial<Record<WatchdogInput, WatchdogStep>>>>
> = {
  initial: {
    connectionUp: step("okay", "clearPending", "setWatchdog", "failback"),
  },
  okay: {
    dwa: step("okay", "clearPending", "setWatchdog"),
    otherMessage: step("okay", "setWatchdog"),
    timer: step("okay", "sendWatchdog", "setPending", "setWatchdog"),
    timerPending: step("suspect", "failover", "setWatchdog"),
    connectionDown: step("initial", "stopWatchdog", "failover"),
  },
  suspect: {
    dwa: step("okay", "clearPending", "failback", "setWatchdog"),
    otherMessage: step("okay", "failback", "setWatchdog"),
    timer: step("down", "stopWatchdog", "closeConnection"),
    timerPending: step("down", "stopWatchdog", "closeConnection"),
    connectionDown: step("initial", "stopWatchdog"),
  },
  down: {
    connectionUp: step("reopen", "resetDwa", "sendWatchdog", "setPending", "setWatchdog"),
  },
  reopen: {
    dwa: step("reopen", "clearPending", "countDwa"),
    thirdDwa: step("okay", "clearPending", "failback", "setWatchdog"),
    timer: step("reopen", "sendWatchdog", "setPending", "setWatchdog"),
    timerPending: step("reopen", "missDwa", "setWatchdog"),
    timerPendingAgain: step("down", "stopWatchdog", "closeConnection"),
    connectionDown: step("down", "stopWatchdog"),
  },
};
