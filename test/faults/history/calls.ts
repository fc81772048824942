import type { CallOperation, CallTimes, History, RegisterOperation } from "./operations.ts";
import type { Violation } from "./violation.ts";

/** What was done to the core, and what may come of it. */
export interface FaultRecord {
  /** kill, pause, freeze, partition, restart */
  readonly fault: string;
  readonly target: string;
  readonly members: readonly string[];
  /** ms; the time it was healed is absent for as long as it lasts. */
  readonly at: number;
  healed?: number;
  /** Members are ready again, ms. */
  ready?: number;
}

/** With every memcached gone, calls work again within, ms (reliability target R5). */
const WITHOUT_CACHE_MS = 5_000;
/** By then a lost ACK has been asked for twice, ms. */
const COPIES_MS = 2_000;
/** Time after a fault for which its consequences may last at a UE that has to find out by itself. */
const UE_NOTICES_MS = 10_000;

/**
 * Every call that was begun is answered and can be ended. The one exception: an edge node that dies takes the connections
 * of its UEs with it, so calls that are set up or ended over it at that time may fail; those in progress may not.
 */
export function checkCalls(history: History, faults: readonly FaultRecord[]): Violation[] {
  const violations: Violation[] = [];
  for (const call of history.calls) {
    const excused = faults.some((fault) => excuses(fault, call));
    const lost = lossOf(call);
    if (lost !== undefined && !excused) violations.push(lost);
    if (lost === undefined && !excused && call.callerBonos.length > 1 && !faults.some(isEdge))
      violations.push({
        rule: "call helped by the UE",
        subject: describe(call),
        what: `by ${call.callerBonos.join(", ")}`,
      });
    if (call.duplicates > 0 && !excused)
      violations.push({
        rule: "double effect",
        subject: describe(call),
        what: `${call.duplicates + 1} INVITEs reached the callee for one sent`,
      });
  }
  return violations;
}

/** No registration fails; none needs a UE that tries elsewhere, unless an edge node is gone. */
export function checkRegistrations(
  registers: readonly RegisterOperation[],
  faults: readonly FaultRecord[],
): Violation[] {
  const violations: Violation[] = [];
  for (const { purpose, aor, device, began, ended, outcome, status, reason = "", bonos } of registers) {
    const subject = `${aor} ${device}`;
    const when = `${purpose} from ${Math.round(began)} to ${Math.round(ended)} ms`;
    if (outcome !== "ok" && faults.some((fault) => isStoreGap(fault, began, ended))) continue;
    if (outcome !== "ok")
      violations.push({ rule: "registration failed", subject, what: `${when}: status ${status} ${reason}` });
    else if (bonos.length > 1 && !faults.some((fault) => isEdge(fault) && during(fault, began, ended)))
      violations.push({
        rule: "registration helped by the UE",
        subject,
        what: `${when}: by ${bonos.join(", ")}`,
      });
  }
  return violations;
}

/** Why a call is lost; undefined when it is not. */
export function lossOf(call: CallOperation): Violation | undefined {
  const { times, status, byeStatus, reason = "" } = call;
  const subject = describe(call);
  if (status !== 200 || times.answered === undefined)
    return {
      rule: "call lost",
      subject,
      what: `INVITE: ${status === 0 ? "no answer" : `status ${status} ${reason}`}`,
    };
  if (times.calleeAcked === undefined && !endedSoon(times))
    return { rule: "call lost", subject, what: "answered, but no ACK reached the callee" };
  if (byeStatus !== 200)
    return {
      rule: "call cannot be ended",
      subject,
      what: `BYE: ${byeStatus === 0 ? "no answer" : `status ${byeStatus} ${reason}`}`,
    };
  return undefined;
}

/** An ACK that is lost comes again with the next copy of the 200: a call may have ended before (RFC 3261 §13.3.1.4). */
function endedSoon({ calleeAnswered = 0, byeAnswered }: CallOperation["times"]): boolean {
  return byeAnswered !== undefined && byeAnswered - calleeAnswered < COPIES_MS;
}

/** Whether a fault took an edge node away that one end of the call was on while the call was being set up. */
function excuses(fault: FaultRecord, call: CallOperation): boolean {
  if (isCacheGap(fault, call.times.invited, call.times.byeAnswered ?? call.times.invited)) return true;
  if (!gone(fault)) return false;
  const legs = [...call.callerBonos, ...call.calleeBonos];
  if (!fault.members.some((member) => legs.includes(member))) return false;
  if (fault.fault === "partition" && isEndedDuring(fault, call.times)) return true;
  const setUp = call.times.calleeAcked ?? Number.POSITIVE_INFINITY;
  return call.times.invited < (fault.ready ?? fault.at) + UE_NOTICES_MS && fault.at < setUp;
}

/** An edge node that is cut off from the core still takes a BYE, and can only say that it gets no answer. */
function isEndedDuring(
  { at, healed = Number.POSITIVE_INFINITY }: FaultRecord,
  { byeSent }: CallTimes,
): boolean {
  return byeSent !== undefined && byeSent > at - UE_NOTICES_MS && byeSent < healed + UE_NOTICES_MS;
}

/** Every memcached is gone for a moment. */
function isCacheGap({ target, at }: FaultRecord, began: number, ended: number): boolean {
  return target === "memcached-all" && began < at + WITHOUT_CACHE_MS && ended > at;
}

/** Registrations need more than calls do: without any Cassandra new ones may be refused (no secret can be read). */
function isStoreGap(fault: FaultRecord, began: number, ended: number): boolean {
  if (fault.target === "cassandra-all") return during(fault, began, ended);
  return isCacheGap(fault, began, ended);
}

/** An edge node that drains moves its UEs elsewhere and loses nothing; any other fault takes their connections away. */
function gone(fault: FaultRecord): boolean {
  return isEdge(fault) && fault.fault !== "restart";
}

function isEdge({ target }: FaultRecord): boolean {
  return target.startsWith("bono");
}

function during(fault: FaultRecord, began: number, ended: number): boolean {
  return began < (fault.ready ?? Number.POSITIVE_INFINITY) + UE_NOTICES_MS && ended > fault.at;
}

function describe({ id, caller, callee, transport, times }: CallOperation): string {
  return `${transport} call ${id} ${caller} to ${callee} at ${Math.round(times.invited)} ms`;
}
