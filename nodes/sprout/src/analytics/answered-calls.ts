import { dropOldest } from "@ims/runtime";
import type { SipMessage } from "@ims/sip";

/** More calls at a time than one sprout serves. */
const MAX_CALLS = 100_000;

/** When calls were answered, so that their BYE can tell how long they were. The oldest are forgotten when there are too many. */
export class AnsweredCalls {
  readonly #answeredAt = new Map<string, number>();
  readonly #max: number;

  constructor(max = MAX_CALLS) {
    this.#max = max;
  }

  get size(): number {
    return this.#answeredAt.size;
  }

  answered(response: SipMessage, at: number): void {
    const key = keyOf(response);
    if (this.#answeredAt.has(key)) return; // at its other party's S-CSCF, in the same process
    this.#answeredAt.set(key, at);
    if (this.#answeredAt.size > this.#max) dropOldest(this.#answeredAt, this.#max);
  }

  /** When the call that this BYE ends was answered; it is forgotten. */
  ended(bye: SipMessage): number | undefined {
    const key = keyOf(bye);
    const at = this.#answeredAt.get(key);
    this.#answeredAt.delete(key);
    return at;
  }
}

/** Of the dialog (RFC 3261 §12), whichever party it is seen from. Not a piece of the message: that would keep all of it. */
function keyOf({ callId, fromTag, toTag }: SipMessage): string {
  const [first, second] = fromTag < toTag ? [fromTag, toTag] : [toTag, fromTag];
  return Buffer.from(`${callId}\n${first}\n${second}`, "latin1").toString("latin1");
}
