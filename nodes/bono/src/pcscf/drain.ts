import type { Clock } from "@ims/runtime";
import { type Flow, parseNameAddr, type RequestContext, type SipMessage } from "@ims/sip";
import type { CallWatch } from "./call-watch.ts";
import type { FlowTable } from "./flow-table.ts";
import type { PcscfModules } from "./modules.ts";

/** Time between two connections that are closed, ms, unless there are so many that the time left is too short. */
const APART_MS = 20;
const STEP_MS = 20;

export interface DrainModules {
  readonly flows: FlowTable;
  readonly calls: CallWatch;
  readonly clock: Clock;
  /** Ids of flows with a request that waits for its answer. */
  readonly busyFlows: () => ReadonlySet<number>;
  readonly isOpen: (flowId: number) => boolean;
}

/**
 * Moves the UEs of a P-CSCF that is shut down: their connections are closed one after the other, so that they do not all
 * register elsewhere at the same time (RFC 5626 §4.4.3, §4.5); who is in a call or waits for an answer comes last.
 */
export class Drain {
  readonly #modules: DrainModules;

  constructor(modules: DrainModules) {
    this.#modules = modules;
  }

  /** Registered connections that are still open. */
  get left(): number {
    let count = 0;
    for (const { flow } of this.#modules.flows.all()) if (flow.reliable && flow.open) count++;
    return count;
  }

  /** Calls that go on over flows which are open. */
  get calls(): number {
    this.#modules.calls.forget(this.#modules.isOpen);
    return this.#modules.calls.size;
  }

  /** Resolves when no registered connection is left, or the signal aborts. `withinMs`: time for those that are idle. */
  run(withinMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules;
    const apartMs = Math.min(APART_MS, withinMs / Math.max(1, this.left));
    const began = clock.monotonic();
    let closed = 0;
    return new Promise((resolve) => {
      const step = (): void => {
        const due = 1 + Math.floor((clock.monotonic() - began) / Math.max(apartMs, 0.01));
        closed += this.#close(due - closed);
        if (signal.aborted || this.left === 0) resolve();
        else clock.setTimer(STEP_MS, step);
      };
      step();
    });
  }

  #close(most: number): number {
    if (most <= 0) return 0;
    const { flows, calls, busyFlows, isOpen } = this.#modules;
    calls.forget(isOpen);
    const inCalls = calls.flows();
    const busy = busyFlows();
    let closed = 0;
    for (const { flow } of [...flows.all()]) {
      if (closed === most) break;
      if (!flow.reliable || !flow.open || inCalls.has(flow.id) || busy.has(flow.id)) continue;
      flow.close();
      closed++;
    }
    return closed;
  }
}

/**
 * A request that begins something: not here any more. De-registration is no beginning. Served is who would leave with what a
 * call needs: a UE whose call is being set up, and on a connection also one in a call. UDP is reached from any member.
 */
export function isTurnedAway(request: SipMessage, flow: Flow, { calls, isInviting }: PcscfModules): boolean {
  if (request.toTag !== "") return false;
  if (request.method === "REGISTER" && removesBindings(request)) return false;
  if (flow.reliable && calls.has(flow.id)) return false;
  // An INVITE is not what keeps its UE here, but another call may.
  return !isInviting(flow.id, request.method === "INVITE" ? request.callId : undefined);
}

/**
 * 503, upon which a UE tries the next address it knows (RFC 3263 §4.3, TS 24.229 §5.1.1.2.1); at once when the pool has
 * other members. 305, if so configured: upon it an IMS UE selects another P-CSCF (TS 24.229 §5.1.1.2.1), which needs no
 * Contact; other UEs make nothing of it.
 */
export function turnAway(context: RequestContext, { counters, settings }: PcscfModules): void {
  counters.refused("quiescing");
  const { method } = context.request;
  if (method === "REGISTER" && settings.drainStatus === 305) return context.respond(305, { stateless: true });
  context.respond(503, {
    stateless: true,
    edit: (response) => void response.append("Retry-After", settings.hasSiblings() ? "0" : "5"),
  });
}

function removesBindings(request: SipMessage): boolean {
  const contacts = request.values("Contact");
  if (contacts.length === 0) return false;
  const all = request.header("Expires")?.trim();
  return contacts.every((value) => (parseNameAddr(value)?.parameters.get("expires") ?? all) === "0");
}
