import { type Clock, PackedTable, type Timer } from "@ims/runtime";

/** A 64th of them is looked through at a time: what has lapsed is gone after seven seconds, with or without traffic. */
const PURGE_MS = 100;

/**
 * Non-INVITE server transactions in the state Completed over unreliable transports (RFC 3261 §17.2.2): all that Timer J leaves of one is its
 * key, its last response and its flow. Outside of the heap, because they live for 32 s: long enough for each to be copied and marked.
 */
export class AnsweredRequests {
  readonly #clock: Clock;
  readonly #table = new PackedTable();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those of the last Timer J, and some seconds more. */
  get size(): number {
    return this.#table.size;
  }

  /** Keeps a response for whoever sends its request again within `ms`. */
  keep(key: string, response: string, flowId: number, ms: number): void {
    const now = this.#clock.monotonic();
    this.#table.put(key, response, { number: flowId, expiresAt: now + ms }, now);
    this.#timer ??= this.#clock.setTimer(PURGE_MS, this.#purge);
  }

  has(key: string): boolean {
    return this.#table.has(key, this.#clock.monotonic());
  }

  /** The response to a request that was answered, and the flow that it went over. */
  find(key: string): { readonly response: string; readonly flowId: number } | undefined {
    const found = this.#table.find(key, this.#clock.monotonic());
    if (found === undefined) return undefined;
    return { response: this.#table.textOf(found), flowId: this.#table.numberOf(found) };
  }

  readonly #purge = (): void => {
    this.#table.purge(this.#clock.monotonic());
    this.#timer = this.#table.size === 0 ? undefined : this.#clock.setTimer(PURGE_MS, this.#purge);
  };
}
