import type { Flow, Target } from "../transport/transport.ts";
import { Breaker } from "./breaker.ts";
import type { MethodPolicy } from "./policy.ts";
import { RecentSends } from "./recent-sends.ts";

/** In service; silent for some intervals; out of service. */
export type HopState = "up" | "suspect" | "down";

/** A request in flight that wants to know when its hop goes out of service. */
export interface HopUser {
  onHopDown(): void;
  /** Its place among the users of its hop; only the hop writes it. */
  hopPlace: number;
}

/** One target on one side, and what is known of its health. Monotonic ms. */
export class Hop {
  readonly key: string;
  readonly target: Target;
  readonly side: string;
  /** For rendezvous hashing. */
  readonly seed: number;
  state: HopState = "up";
  flow: Flow | undefined;
  /** It has answered a keep-alive once: silence means something. */
  answersPings = false;
  /** Smoothed round-trip time; 0 before the first measurement. */
  roundTrip = 0;
  /** When the keep-alive left that waits for an answer; 0: none does. */
  pingedAt = 0;
  lastPing = 0;
  /** Keep-alives on this connection that were not answered, of a far end that has never answered one. */
  ignoredPings = 0;
  /** Its connection closed and a new one is tried: did it die? */
  reopening = false;
  /** Since when it is out of service, and when it is tried again. */
  downSince = 0;
  retryAt = 0;
  retryMs = 0;
  /** When somebody last wanted to use it. */
  usedAt = 0;
  /** A transport without connections failed: put last until then. */
  penaltyUntil = 0;
  readonly recent = new RecentSends();
  readonly #users: HopUser[] = [];
  readonly #breakers = new Map<MethodPolicy, Breaker>();

  constructor(key: string, target: Target, side: string, seed: number) {
    this.key = key;
    this.target = target;
    this.side = side;
    this.seed = seed;
  }

  /** Requests without a final answer. */
  get inFlight(): number {
    return this.#users.length;
  }

  enter(user: HopUser, policy: MethodPolicy, now: number): void {
    if (this.#users[user.hopPlace] === user) return;
    user.hopPlace = this.#users.push(user) - 1;
    this.usedAt = now;
    if (this.#breakers.size > 0) this.#breakers.get(policy)?.sent(now);
  }

  leave(user: HopUser): void {
    const { hopPlace } = user;
    if (this.#users[hopPlace] !== user) return;
    const last = this.#users.pop();
    if (last !== undefined && last !== user) {
      this.#users[hopPlace] = last;
      last.hopPlace = hopPlace;
    }
    user.hopPlace = -1;
  }

  users(): readonly HopUser[] {
    return [...this.#users];
  }

  /** How many of its breakers are not closed. */
  get openBreakers(): number {
    let open = 0;
    for (const { state } of this.#breakers.values()) if (state !== "closed") open++;
    return open;
  }

  breaker(policy: MethodPolicy): Breaker | undefined {
    return this.#breakers.size === 0 ? undefined : this.#breakers.get(policy);
  }

  succeeded(policy: MethodPolicy): void {
    if (this.#breakers.size > 0) this.#breakers.get(policy)?.succeeded();
  }

  failed(policy: MethodPolicy, now: number): void {
    if (policy.breaker === undefined) return;
    let breaker = this.#breakers.get(policy);
    if (breaker === undefined) {
      breaker = new Breaker(policy.breaker);
      this.#breakers.set(policy, breaker);
    }
    breaker.failed(now);
  }

  /** Back in service: what it did before counts no more. */
  recover(): void {
    this.state = "up";
    this.reopening = false;
    this.downSince = 0;
    this.retryAt = 0;
    this.retryMs = 0;
    this.penaltyUntil = 0;
    this.#breakers.clear();
  }
}
