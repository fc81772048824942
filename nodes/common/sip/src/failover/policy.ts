/** How the pauses between rounds of retries grow. */
export type Pause = "none" | "fixed" | "linear" | "exponential";

/** How the targets of one RFC 3263 priority share requests. */
export type Balancing = "affinity" | "roundRobin" | "leastConnections" | "consistentHash";

/** What is done about targets that do not answer, by method. Times in ms. */
export interface MethodPolicy {
  /** How long a target may take for its first response to an INVITE, for the final one to anything else. */
  readonly timeoutMs: number;
  readonly inDialogTimeoutMs: number;
  /** The far end is the last one to ask (a registrar): a target that takes too long is given up although it is alive. */
  readonly answersItself: boolean;
  /** Rounds through all targets after the first. */
  readonly retries: number;
  readonly pause: Pause;
  readonly pauseMs: number;
  /** A breaker opens after that many failures without a success in that time; undefined: never. */
  readonly breaker: { readonly failures: number; readonly windowMs: number } | undefined;
  readonly balancing: Balancing;
}

/** By method; `other` for those not named. */
export interface Policies {
  readonly byMethod: ReadonlyMap<string, MethodPolicy>;
  readonly other: MethodPolicy;
}

const other: MethodPolicy = {
  timeoutMs: 32_000,
  inDialogTimeoutMs: 4_000,
  answersItself: false,
  retries: 1,
  pause: "fixed",
  pauseMs: 300,
  breaker: { failures: 10, windowMs: 30_000 },
  balancing: "affinity",
};

const inDialog = { ...other, timeoutMs: 4_000, breaker: { failures: 5, windowMs: 30_000 } };

export const DEFAULT_POLICIES: Policies = {
  byMethod: new Map<string, MethodPolicy>([
    ["INVITE", { ...inDialog, timeoutMs: 32_000, retries: 3, pause: "exponential", pauseMs: 100 }],
    [
      "REGISTER",
      {
        ...other,
        timeoutMs: 10_000,
        inDialogTimeoutMs: 10_000,
        answersItself: true,
        retries: 2,
        pauseMs: 250,
        breaker: { failures: 10, windowMs: 60_000 },
        balancing: "roundRobin",
      },
    ],
    [
      "OPTIONS",
      {
        ...other,
        timeoutMs: 2_000,
        inDialogTimeoutMs: 2_000,
        retries: 0,
        pause: "none",
        breaker: { failures: 20, windowMs: 10_000 },
        balancing: "leastConnections",
      },
    ],
    [
      "MESSAGE",
      {
        ...other,
        timeoutMs: 5_000,
        inDialogTimeoutMs: 5_000,
        retries: 2,
        pause: "linear",
        pauseMs: 200,
        breaker: { failures: 15, windowMs: 30_000 },
        balancing: "consistentHash",
      },
    ],
    ["BYE", { ...inDialog, retries: 3 }],
    ["CANCEL", { ...inDialog, retries: 2 }],
    [
      "ACK",
      {
        ...inDialog,
        timeoutMs: 32_000,
        inDialogTimeoutMs: 32_000,
        retries: 0,
        pause: "none",
        breaker: undefined,
      },
    ],
  ]),
  other,
};

export function policyFor({ byMethod, other: rest }: Policies, method: string): MethodPolicy {
  return byMethod.get(method) ?? rest;
}

/** Before round `round` (1 is the first retry), ms. */
export function pauseBefore({ pause, pauseMs }: MethodPolicy, round: number): number {
  switch (pause) {
    case "none":
      return 0;
    case "fixed":
      return pauseMs;
    case "linear":
      return pauseMs * round;
    case "exponential":
      return pauseMs * 2 ** (round - 1);
  }
}
