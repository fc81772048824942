/** All times are milliseconds of one monotonic clock since the run began. */

/** What a REGISTER was for. */
export type RegisterPurpose = "initial" | "refresh" | "remove" | "fetch";

/**
 * ok: 200. refused: 4xx, nothing has changed. unknown: 5xx, 408 or nothing; it may have taken effect, then or later.
 */
export type Outcome = "ok" | "refused" | "unknown";

/** One registration procedure of a device: one or two REGISTER transactions, more when the UE had to try elsewhere. */
export interface RegisterOperation {
  readonly kind: "register";
  readonly purpose: RegisterPurpose;
  readonly aor: string;
  readonly device: string;
  readonly transport: "udp" | "tcp";
  readonly began: number;
  ended: number;
  outcome: Outcome;
  /** Status of the last response; 0: none came. */
  status: number;
  /** Its reason phrase, when it was a refusal. */
  reason?: string;
  /** When REGISTERs were sent that got no answer, or one that leaves open what was done (5xx): each may have been done. */
  unanswered?: number[];
  /** Who sent it to another edge node, and with what. */
  turnedAway?: string;
  /** When the REGISTER was sent that got the last answer. */
  asked?: number;
  /** Edge nodes tried; more than one: the UE had to help itself. */
  bonos: string[];
  /** The slowest single REGISTER transaction, ms. */
  slowest: number;
  /** Devices bound to the AoR as the 200 lists them. */
  seen?: readonly string[];
  /** When the binding acknowledged ends, ms. */
  expires?: number;
}

/** Stages of a call, both ends; a stage not reached is absent. */
export interface CallTimes {
  invited: number;
  trying?: number;
  ringing?: number;
  answered?: number;
  acked?: number;
  calleeInvited?: number;
  calleeAnswered?: number;
  calleeAcked?: number;
  byeSent?: number;
  byeAnswered?: number;
}

export interface CallOperation {
  readonly kind: "call";
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
  readonly transport: "udp" | "tcp";
  readonly times: CallTimes;
  /** Edge nodes of both ends when the call began, and those the UEs moved to. */
  callerBonos: string[];
  calleeBonos: string[];
  /** Final status of the INVITE; 0: none came. */
  status: number;
  /** Reason phrase of whatever was refused. */
  reason?: string;
  /** Final status of the BYE; 0: none came or none was sent. */
  byeStatus: number;
  /** INVITEs that reached the callee as new ones, beyond the first: RFC 3261 §8.2.2.2. */
  duplicates: number;
  /** Whether the last word on this call is spoken. */
  over: boolean;
}

/** What one AoR looked like when all was quiet again. */
export interface Audit {
  readonly aor: string;
  readonly at: number;
  /** Devices that a fetch (REGISTER without Contact) lists; undefined: it was not answered. */
  readonly listed?: readonly string[];
  /** Devices an OPTIONS to the AoR came to. */
  readonly reached: readonly string[];
  /** Status of that OPTIONS. */
  readonly status: number;
}

/** A request that came to a device for its AoR. */
export interface Delivery {
  readonly at: number;
  readonly aor: string;
  readonly device: string;
  readonly method: string;
}

/** A UE found its edge node gone and registered over another one. */
export interface Move {
  readonly aor: string;
  readonly device: string;
  readonly transport: "udp" | "tcp";
  readonly from: string;
  to: string;
  /** When it noticed, ms. */
  readonly noticed: number;
  /** First good answer over another edge node, ms; absent: none so far. */
  registered?: number;
}

/** Everything the UEs did and saw. */
export interface History {
  readonly moves: Move[];
  readonly registers: RegisterOperation[];
  readonly calls: CallOperation[];
  readonly deliveries: Delivery[];
  readonly audits: Audit[];
}

export function emptyHistory(): History {
  return { moves: [], registers: [], calls: [], deliveries: [], audits: [] };
}

/** Time the network took from INVITE to 200: the callee's ringing is not its fault. Undefined when not answered. */
export function setupTime({ times }: CallOperation): number | undefined {
  const { invited, answered, calleeInvited, calleeAnswered } = times;
  if (answered === undefined || calleeInvited === undefined || calleeAnswered === undefined) return undefined;
  return answered - invited - (calleeAnswered - calleeInvited);
}
