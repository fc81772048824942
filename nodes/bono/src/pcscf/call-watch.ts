import { dropOldest } from "@ims/runtime";
import type { SipMessage } from "@ims/sip";
import { flat } from "./flat.ts";

const MAX_CALLS = 100_000;

/**
 * Calls that were answered and not ended, with the flows of their UEs. Nothing is decided by it but when a P-CSCF that is
 * shut down may let go of a connection, and it is shown as a figure: a call that is missing here, or one too many, does no harm.
 */
export class CallWatch {
  /** Flow ids by Call-ID, oldest call first. */
  readonly #calls = new Map<string, number[]>();

  get size(): number {
    return this.#calls.size;
  }

  /** A response to a request of, or to, the UE on this flow. */
  sees(request: SipMessage, response: SipMessage, flowId: number): void {
    const { status } = response;
    if (status < 200) return;
    if (request.method === "BYE") this.#calls.delete(request.callId);
    else if (request.method === "INVITE" && status < 300 && request.toTag === "")
      this.#begun(request.callId, flowId);
  }

  /** Is the UE on this flow in a call? */
  has(flowId: number): boolean {
    for (const flows of this.#calls.values()) if (flows.includes(flowId)) return true;
    return false;
  }

  flows(): Set<number> {
    return new Set([...this.#calls.values()].flat());
  }

  /** Calls whose UE has a flow here. */
  inProgress(isOpen: (flowId: number) => boolean): number {
    this.forget(isOpen);
    return this.size;
  }

  /** Is one of these flows in a call that has a flow which is open? A call whose UEs are gone has ended. */
  forget(isOpen: (flowId: number) => boolean): void {
    for (const [callId, flows] of this.#calls) if (!flows.some(isOpen)) this.#calls.delete(callId);
  }

  #begun(callId: string, flowId: number): void {
    const flows = this.#calls.get(callId);
    if (flows === undefined) {
      this.#calls.set(flat(callId), [flowId]);
      if (this.#calls.size > MAX_CALLS) dropOldest(this.#calls, MAX_CALLS);
    } else if (!flows.includes(flowId) && flows.length < 8) flows.push(flowId);
  }
}
