import type { Clock, Timer } from "@ims/runtime";
import type { Flow } from "../transport/transport.ts";
import type { Hop } from "./hop.ts";

/** When a silent hop is asked, suspected and given up. Times in ms. */
export interface ProbeOptions {
  /** Round-trip intervals without an answer until a hop is suspect: others are preferred. */
  readonly suspectAfter: number;
  /** Until it is out of service: what waits for it is sent elsewhere. */
  readonly downAfter: number;
  /** A hop is never suspect earlier. */
  readonly floorMs: number;
  /** Nor out of service: a busy machine may hold up a process that is well. */
  readonly downFloorMs: number;
  /** Silence after which a keep-alive is sent while something is outstanding. */
  readonly silenceMs: number;
  /** Pace of keep-alives otherwise. */
  readonly idleMs: number;
  /** How long a connection may take to open before its hop is out of service. */
  readonly connectMs: number;
  /** How often the hops are looked at while something is outstanding. */
  readonly tickMs: number;
  /** An unanswered connection out of service is cut, so that a new one can be tried. */
  readonly cutMs: number;
  /** First and longest pause between tries to reach a hop that is out of service. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Octets waiting to be sent at which a hop counts as slow: suspect. */
  readonly slowBytes: number;
  /** A hop nobody has used for so long is not asked any more. */
  readonly forgetMs: number;
}

export const DEFAULT_PROBE: ProbeOptions = {
  suspectAfter: 5,
  downAfter: 30,
  floorMs: 30,
  downFloorMs: 300,
  silenceMs: 100,
  idleMs: 1_000,
  connectMs: 250,
  tickMs: 20,
  cutMs: 3_000,
  retryMs: 100,
  maxRetryMs: 500,
  slowBytes: 1_048_576,
  forgetMs: 600_000,
};

/** Keep-alives that a far end may leave unanswered before it is asked no more on that connection. */
const MAX_IGNORED = 3;
/** And when one counts as that, ms. */
const IGNORED_MS = 2_000;

export interface HopProberModules {
  readonly clock: Clock;
  readonly options: Partial<ProbeOptions>;
  readonly dial: (hop: Hop) => Flow;
  /** No flow can be had any more. */
  readonly hasStopped: () => boolean;
  readonly onChange: (hop: Hop) => void;
}

/**
 * Finds out which hops are dead or hung: keep-alives of RFC 5626 §4.4.1 over the connections we opened, judged by their own
 * round-trip time. Silence means nothing of a peer that has never answered one.
 */
export class HopProber {
  readonly #clock: Clock;
  readonly #options: ProbeOptions;
  readonly #dial: (hop: Hop) => Flow;
  readonly #hasStopped: () => boolean;
  readonly #onChange: (hop: Hop) => void;
  readonly #watched = new Set<Hop>();
  #timer: Timer | undefined;
  #fast = false;
  #lastTick = 0;
  #stopped = false;

  constructor({ clock, options, dial, hasStopped, onChange }: HopProberModules) {
    this.#clock = clock;
    this.#options = { ...DEFAULT_PROBE, ...options };
    this.#dial = dial;
    this.#hasStopped = hasStopped;
    this.#onChange = onChange;
  }

  watch(hop: Hop): void {
    if (this.#stopped || this.#watched.has(hop)) return;
    this.#watched.add(hop);
    if (this.#timer === undefined) this.#arm(false);
  }

  unwatch(hop: Hop): void {
    this.#watched.delete(hop);
  }

  /** Something is outstanding: look closely. */
  busy(): void {
    if (this.#fast || this.#stopped) return;
    this.#timer?.cancel();
    this.#arm(true);
  }

  /** The connection of a hop is gone: what died and what only closed is told apart by trying. */
  closed(hop: Hop): void {
    if (this.#hasStopped()) this.stop();
    if (this.#stopped || !this.#watched.has(hop)) return;
    if (hop.state === "down") {
      hop.retryMs = Math.min(Math.max(hop.retryMs * 2, this.#options.retryMs), this.#options.maxRetryMs);
      hop.retryAt = this.#clock.monotonic() + hop.retryMs;
      return;
    }
    if (hop.reopening) return this.#down(hop);
    hop.state = "suspect";
    hop.reopening = true;
    this.#open(hop);
  }

  /** A request could not be sent, or its connection broke. */
  lost(hop: Hop): void {
    if (hop.state === "up" && hop.flow?.open !== true) {
      if (this.#watched.has(hop)) hop.state = "suspect";
      else hop.penaltyUntil = this.#clock.monotonic() + this.#options.maxRetryMs;
    }
  }

  /** A hop that is out of service has lost its connection by our will: another one at once. */
  reopen(hop: Hop): void {
    if (!this.#stopped && this.#watched.has(hop)) this.#open(hop);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watched.clear();
  }

  #arm(fast: boolean): void {
    if (this.#stopped) return;
    this.#fast = fast;
    this.#lastTick = this.#clock.monotonic();
    const ms = fast ? this.#options.tickMs : Math.min(this.#options.idleMs, this.#options.retryMs * 5);
    this.#timer = this.#clock.setTimer(ms, () => this.#tick(ms));
  }

  #tick(expected: number): void {
    if (this.#hasStopped()) return this.stop();
    const now = this.#clock.monotonic();
    // What we slept through ourselves is no silence of the peer: its answer may wait in the socket.
    const slept = Math.max(0, now - this.#lastTick - 2 * expected);
    let busy = false;
    for (const hop of this.#watched) {
      if (slept > 0 && hop.pingedAt > 0 && (hop.flow?.lastReceived ?? 0) <= hop.pingedAt)
        hop.pingedAt += slept;
      if (this.#look(hop, now)) busy = true;
    }
    this.#timer = undefined;
    if (this.#watched.size > 0) this.#arm(busy);
    else this.#fast = false;
  }

  /** True when the hop must be looked at again soon. */
  #look(hop: Hop, now: number): boolean {
    const { flow } = hop;
    if (flow === undefined || !flow.open) return this.#retry(hop, now);
    const heard = flow.lastReceived ?? 0;
    if (hop.pingedAt > 0) {
      if (heard > hop.pingedAt) this.#answered(hop, heard - hop.pingedAt);
      else this.#judge(hop, now);
      return true;
    }
    if ((flow.queuedBytes ?? 0) > this.#options.slowBytes && hop.state === "up") hop.state = "suspect";
    const waiting = hop.inFlight > 0;
    const silent = now - Math.max(heard, hop.lastPing);
    const idle = now - hop.lastPing >= this.#options.idleMs;
    // RFC 6223: who does not take part is not asked on and on.
    if (hop.ignoredPings >= MAX_IGNORED) return false;
    if (waiting ? silent >= this.#options.silenceMs || idle : idle) {
      if (!waiting && now - hop.usedAt > this.#options.forgetMs) this.#watched.delete(hop);
      else this.#ping(hop, flow, now);
    }
    return waiting || hop.pingedAt > 0;
  }

  #ping(hop: Hop, flow: Flow, now: number): void {
    if (flow.ping?.() !== true) return;
    hop.pingedAt = now;
    hop.lastPing = now;
  }

  #answered(hop: Hop, roundTrip: number): void {
    hop.pingedAt = 0;
    // Other octets show life too, but not that it will answer the next one.
    if ((hop.flow?.pongs ?? 0) > 0) hop.answersPings = true;
    // How long it was hung is no round-trip time.
    if (hop.state !== "down")
      hop.roundTrip = hop.roundTrip === 0 ? roundTrip : hop.roundTrip + (roundTrip - hop.roundTrip) / 8;
    this.#recover(hop);
  }

  #recover(hop: Hop): void {
    if (hop.state === "up") return;
    const wasDown = hop.state === "down";
    hop.recover();
    if (wasDown) this.#onChange(hop);
  }

  #judge(hop: Hop, now: number): void {
    const { suspectAfter, downAfter, floorMs, downFloorMs, cutMs, connectMs } = this.#options;
    const connecting = hop.flow?.localPort === 0;
    const waited = now - hop.pingedAt;
    if (!hop.answersPings && !connecting) {
      // An open connection is all the life it can show.
      this.#recover(hop);
      if (waited < IGNORED_MS) return;
      hop.pingedAt = 0;
      hop.ignoredPings += 1;
      return;
    }
    if (hop.state === "down") {
      // Whoever waits for it alone has failed by that; it must not be done later all the same.
      if (now - hop.downSince >= cutMs && waited >= connectMs) cut(hop.flow);
      return;
    }
    const floor = connecting ? connectMs : downFloorMs;
    if (waited >= Math.max(floor, downAfter * hop.roundTrip)) this.#down(hop);
    else if (waited >= Math.max(floorMs, suspectAfter * hop.roundTrip) && hop.state === "up")
      hop.state = "suspect";
  }

  #down(hop: Hop): void {
    const now = this.#clock.monotonic();
    hop.state = "down";
    hop.reopening = false;
    hop.downSince = now;
    hop.retryMs = this.#options.retryMs;
    hop.retryAt = now + hop.retryMs;
    this.#suspectNeighbours(hop, now);
    for (const user of hop.users()) user.onHopDown();
    this.#onChange(hop);
  }

  /** Other ports of a machine are likely to share its fate: they are asked at once, and until they answer others are preferred. */
  #suspectNeighbours({ target }: Hop, now: number): void {
    for (const other of this.#watched) {
      if (other.state !== "up" || other.target.address !== target.address || !other.answersPings) continue;
      if (other.flow?.open !== true) continue;
      other.state = "suspect";
      if (other.pingedAt === 0) this.#ping(other, other.flow, now);
    }
  }

  /** Half-open: a new connection, asked at once; requests come back when it has answered. */
  #retry(hop: Hop, now: number): boolean {
    if (hop.state === "up") return false;
    if (now - hop.usedAt > this.#options.forgetMs) {
      this.#watched.delete(hop);
      hop.recover();
      return false;
    }
    if (now < hop.retryAt) return false;
    this.#open(hop);
    return true;
  }

  #open(hop: Hop): void {
    const used = hop.usedAt;
    const flow = this.#dial(hop);
    hop.usedAt = used;
    this.#ping(hop, flow, this.#clock.monotonic());
    this.busy();
  }
}

function cut(flow: Flow | undefined): void {
  if (flow?.reset === undefined) flow?.close();
  else flow.reset();
}
