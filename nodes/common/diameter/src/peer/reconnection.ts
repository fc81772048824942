import type { Clock, Timer } from "@ims/runtime";
import type { PeerTiming } from "./peer-context.ts";

/** When to try again (Tc, RFC 6733 §2.1): a peer that was there is looked for at once, then ever more rarely. */
export class Reconnection {
  readonly #clock: Clock;
  readonly #timing: PeerTiming;
  readonly #random: () => number;
  #attempts = 0;
  #unwanted = false;
  #timer: Timer | undefined;

  constructor(clock: Clock, timing: PeerTiming, random: () => number) {
    this.#clock = clock;
    this.#timing = timing;
    this.#random = random;
  }

  /** The peer is there: the next loss starts with the shortest wait. */
  reset(): void {
    this.#timer?.cancel();
    this.#attempts = 0;
    this.#unwanted = false;
  }

  /** The peer asked to be left alone (§5.4.3), or refuses us: the longest wait. */
  unwanted(): void {
    this.#unwanted = true;
  }

  schedule(connect: () => void): void {
    const { reconnectMs, firstReconnectMs } = this.#timing;
    const backOff = this.#unwanted ? reconnectMs : firstReconnectMs * 2 ** Math.min(this.#attempts, 20);
    this.#attempts++;
    const wait = Math.min(reconnectMs, backOff) * (0.9 + this.#random() * 0.2);
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(wait, connect);
  }

  cancel(): void {
    this.#timer?.cancel();
  }
}
