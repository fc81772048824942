import type { Clock } from "@ims/runtime";
import type { Flow, Target, TransportLayer } from "../transport/transport.ts";
import { type BalancingKeys, hashText, orderTargets } from "./balancing.ts";
import { Hop } from "./hop.ts";
import { HopProber, type ProbeOptions } from "./hop-prober.ts";
import type { MethodPolicy } from "./policy.ts";
import type { StatelessSend } from "./recent-sends.ts";

const MAX_HOPS = 10_000;
/** A hop nobody has asked for in that time is forgotten when there are too many. */
const UNUSED_MS = 60_000;
/** How long a failed target without connections is put last (RFC 3263 §4.3 leaves it open). */
const PENALTY_MS = 10_000;

export interface HopsModules {
  readonly clock: Clock;
  readonly transport: () => Pick<TransportLayer, "flowTo" | "stopped">;
  readonly probe?: Partial<ProbeOptions>;
  /** Told when a hop changes between in and out of service. */
  readonly onChange?: (hop: Hop) => void;
  /** Sends again what may not have arrived. */
  readonly resend?: (send: StatelessSend) => void;
}

/** What was sent so shortly before a connection broke may not have been read, ms. */
const UNREAD_MS = 300;

/** The next hops of the trusted sides: their health, the order to try them in, and who waits for them. */
export class Hops {
  readonly #clock: Clock;
  readonly #transport: () => Pick<TransportLayer, "flowTo" | "stopped">;
  readonly #prober: HopProber;
  readonly #resend: ((send: StatelessSend) => void) | undefined;
  readonly #byKey = new Map<string, Hop>();
  /** Located targets are the same objects for a while. */
  readonly #byTarget = new WeakMap<Target, Hop>();
  /** Used within one call only. */
  readonly #scratch: Hop[] = [];
  #turn = 0;

  constructor({ clock, transport, probe, onChange, resend }: HopsModules) {
    this.#clock = clock;
    this.#transport = transport;
    this.#resend = resend;
    this.#prober = new HopProber({
      clock,
      options: probe ?? {},
      dial: (hop) => this.#connect(hop),
      hasStopped: () => this.#transport().stopped === true,
      onChange: (hop) => {
        if (hop.state === "down") this.#giveUp(hop);
        onChange?.(hop);
      },
    });
  }

  hops(): Iterable<Hop> {
    return this.#byKey.values();
  }

  hop(target: Target, side: string): Hop {
    const known = this.#byTarget.get(target);
    if (known !== undefined && known.side === side) return known;
    const key = `${side}|${target.protocol}|${target.address}|${target.port}`;
    let hop = this.#byKey.get(key);
    if (hop === undefined) {
      if (this.#byKey.size >= MAX_HOPS) this.#forgetUnused();
      hop = new Hop(key, target, side, hashText(key));
      if (this.#byKey.size < MAX_HOPS) this.#byKey.set(key, hop);
    }
    this.#byTarget.set(target, hop);
    return hop;
  }

  /** Targets in the order to try. */
  order(
    targets: readonly Target[],
    side: string,
    keys: BalancingKeys,
    policy: MethodPolicy,
    newDialog: boolean,
  ): readonly Target[] {
    if (targets.length < 2) return targets;
    const hops = this.#scratch;
    hops.length = 0;
    for (const target of targets) hops.push(this.hop(target, side));
    this.#turn = (this.#turn + 1) & 0x3fffffff;
    return orderTargets(targets.slice(), hops, keys, policy, this.#clock, this.#turn, newDialog);
  }

  /** Are the breakers of all targets open, with no trial due? Then nothing new is begun. */
  allBlocked(targets: readonly Target[], side: string, policy: MethodPolicy): boolean {
    if (targets.length === 0) return false;
    const now = this.#clock.monotonic();
    return targets.every((target) => this.hop(target, side).breaker(policy)?.blocks(now) === true);
  }

  /** The flow to a hop; from now on it is watched. */
  flowTo(hop: Hop): Flow {
    const flow = this.#connect(hop);
    if (flow.ping !== undefined) this.#prober.watch(hop);
    return flow;
  }

  /** A request leaves over the hop's flow. */
  busy(hop: Hop): void {
    if (hop.flow?.ping !== undefined) this.#prober.busy();
  }

  succeeded(hop: Hop, policy: MethodPolicy): void {
    if (hop.penaltyUntil !== 0) hop.penaltyUntil = 0;
    hop.succeeded(policy);
  }

  failed(hop: Hop, policy: MethodPolicy, why: "transport" | "timeout" | "refused"): void {
    const now = this.#clock.monotonic();
    hop.failed(policy, now);
    if (why === "refused") return;
    if (hop.target.protocol === "UDP" || why === "timeout") hop.penaltyUntil = now + PENALTY_MS;
    else this.#prober.lost(hop);
  }

  /** Has it shown life since its silence began to count? */
  isAlive(hop: Hop): boolean {
    return hop.answersPings && hop.state === "up" && hop.flow?.open === true;
  }

  stop(): void {
    this.#prober.stop();
  }

  #connect(hop: Hop): Flow {
    const flow = this.#transport().flowTo(hop.target, hop.side);
    if (hop.flow === flow) return flow;
    hop.usedAt = this.#clock.monotonic();
    hop.flow = flow;
    hop.pingedAt = 0;
    hop.lastPing = 0;
    hop.ignoredPings = 0;
    if (flow.reliable)
      flow.onClose(() => {
        if (hop.flow === flow) this.#prober.closed(hop);
        this.#sendAgain(hop, flow);
      });
    return flow;
  }

  /**
   * All that was under way to it has gone elsewhere. TCP would deliver it none the less when the hop can be reached again, be it
   * minutes later: a REGISTER that another member has done since, an INVITE that rings. So its connection is reset.
   */
  #giveUp(hop: Hop): void {
    const { flow } = hop;
    if (hop.inFlight === 0 && flow?.open === true && flow.reset !== undefined) {
      hop.flow = undefined;
      flow.reset();
      this.#prober.reopen(hop);
    }
    this.#sendAgain(hop, flow);
  }

  #sendAgain(hop: Hop, flow: Flow | undefined): void {
    if (this.#resend === undefined) return;
    const since = Math.min(flow?.lastReceived ?? 0, this.#clock.monotonic() - UNREAD_MS);
    for (const send of hop.recent.take(since)) this.#resend(send);
  }

  #forgetUnused(): void {
    const before = this.#clock.monotonic() - UNUSED_MS;
    for (const [key, hop] of this.#byKey)
      if (hop.usedAt < before && hop.inFlight === 0 && hop.flow?.open !== true) {
        this.#prober.unwatch(hop);
        this.#byKey.delete(key);
      }
  }
}
