import type { Clock, Timer } from "@ims/runtime";
import type { PeerTiming } from "./peer-context.ts";

const HURRY_MS = 1_000;

/** When to try again (Tc, RFC 6733 §2.1): a peer that was there is looked for at once, then ever more rarely. */
export class Reconnection {
  readonly #clock: Clock;
  readonly #timing: PeerTiming;
  readonly #random: () => number;
  #attempts = 0;
  #unwanted = false;
  #elsewhere = false;
  #timer: Timer | undefined;
  #connect: (() => void) | undefined;
  /** When the wait began. */
  #since = 0;

  constructor(clock: Clock, timing: PeerTiming, random: () => number) {
    this.#clock = clock;
    this.#timing = timing;
    this.#random = random;
  }

  /** The peer is there: the next loss starts with the shortest wait. */
  reset(): void {
    this.cancel();
    this.#attempts = 0;
    this.#unwanted = false;
    this.#elsewhere = false;
  }

  /** The peer believes in another connection of ours. The first time it is looking whether that one lives: the waits begin anew. */
  elsewhere(): void {
    if (!this.#elsewhere) this.#attempts = 0;
    this.#elsewhere = true;
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
    this.cancel();
    this.#connect = connect;
    this.#since = this.#clock.monotonic();
    this.#timer = this.#clock.setTimer(wait, () => this.#end());
  }

  get isUnwanted(): boolean {
    return this.#unwanted;
  }

  /** A request wants this peer: the wait ends, but not within `sinceMs` of the last try; default a second. */
  hurry(sinceMs = HURRY_MS): void {
    if (this.#unwanted || this.#clock.monotonic() - this.#since < sinceMs) return;
    this.#end();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#connect = undefined;
  }

  #end(): void {
    const connect = this.#connect;
    this.cancel();
    connect?.();
  }
}
