import type { SipMessage } from "../message/message.ts";
import type { Target } from "../transport/transport.ts";

/** A message sent without a transaction: nobody would notice its loss. */
export interface StatelessSend {
  readonly request: SipMessage;
  readonly targets: readonly Target[];
  readonly side: string;
  /** Monotonic ms. */
  readonly at: number;
  /** How often it may be sent again. */
  readonly left: number;
}

const KEPT = 32;

/** The last few of them over one hop, until so many others have followed. */
export class RecentSends {
  readonly #ring: (StatelessSend | undefined)[] = [];
  #next = 0;

  add(send: StatelessSend): void {
    this.#ring[this.#next] = send;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Those sent since then, taken out. */
  take(since: number): readonly StatelessSend[] {
    const found: StatelessSend[] = [];
    for (let at = 0; at < this.#ring.length; at++) {
      const send = this.#ring[(this.#next + at) % this.#ring.length];
      if (send !== undefined && send.at >= since) found.push(send);
    }
    this.#ring.length = 0;
    this.#next = 0;
    return found;
  }
}
