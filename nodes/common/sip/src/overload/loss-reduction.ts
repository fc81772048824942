import type { LossReport } from "./loss-parameters.ts";
import type { RequestClass } from "./request-class.ts";

/** A server that was not heard of for so long says nothing about the pool, ms. */
const HEARD_MS = 5_000;
/** A sequence number so much lower is no late response but a server that began anew (RFC 7339 §4.4). */
const OVERFLOW = 600;
const MAX_SERVERS = 1_000;

interface Server {
  percent: number;
  until: number;
  heardAt: number;
  seq: readonly [number, number];
  /** Requests of each category, fading: RFC 7339 §7.2. */
  normal: number;
  others: number;
}

export interface LossReductionOptions {
  /** Monotonic ms. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
}

/** The client's half of RFC 7339: keeps back what servers do not want, per address and port, with the default algorithm of §7.2. */
export class LossReduction {
  readonly #options: LossReductionOptions;
  readonly #servers = new Map<string, Server>();
  #activeUntil = 0;
  #common = 0;

  constructor(options: LossReductionOptions) {
    this.#options = options;
  }

  /** Share of new work that no server of those heard lately wants: 0 as long as one of them takes everything. */
  get common(): number {
    return this.#common;
  }

  /** Is any server in overload? */
  get active(): boolean {
    return this.#activeUntil !== 0;
  }

  /** RFC 7339 §5.4, §5.7. */
  report(server: string, report: LossReport): void {
    const now = this.#options.now();
    const known = this.#servers.get(server);
    const { percent, validityMs, seq } = report;
    const reduced = validityMs === 0 ? 0 : percent;
    if (known === undefined) {
      if (this.#servers.size >= MAX_SERVERS) this.#forget(now);
      this.#servers.set(server, {
        percent: reduced,
        until: now + validityMs,
        heardAt: now,
        seq,
        normal: 1,
        others: 0,
      });
    } else {
      known.heardAt = now;
      const later = seq[0] - known.seq[0] || seq[1] - known.seq[1];
      if (later === 0 || (later < 0 && known.seq[0] - seq[0] < OVERFLOW)) return;
      known.seq = seq;
      known.percent = reduced;
      known.until = now + validityMs;
    }
    if (reduced > 0) this.#activeUntil = Math.max(this.#activeUntil, now + validityMs);
    if (this.active) this.#assess(now);
  }

  /** What has lapsed is over. Called now and then, and before a decision. */
  expire(): void {
    if (this.active) this.#assess(this.#options.now());
  }

  /**
   * May a request of this class go to the server? Counts it: the mix says how much of the first category makes up the
   * percentage of all. `already`: share that was kept back on behalf of this server before.
   */
  admits(server: string, kind: RequestClass, already = 0): boolean {
    const one = this.#servers.get(server);
    if (one === undefined) return true;
    if (kind === "normal") one.normal++;
    else one.others++;
    if (one.normal + one.others > 1_000) {
      one.normal /= 2;
      one.others /= 2;
    }
    const wanted = this.#shareOf(one, kind, this.#options.now());
    if (wanted <= already) return true;
    return this.#options.random() >= (wanted - already) / (1 - already);
  }

  /** §7.2: the percentage is taken from new work alone, and from what is shed last only when that does not suffice. */
  #shareOf(server: Server, kind: RequestClass, now: number): number {
    if (server.percent === 0 || now >= server.until || kind === "exempt") return 0;
    const all = server.normal + server.others;
    const first = server.normal / all;
    const share = server.percent / 100;
    if (kind === "normal") return Math.min(1, share / Math.max(first, 0.01));
    return first >= share ? 0 : (share - first) / Math.max(1 - first, 0.01);
  }

  #assess(now: number): void {
    let common = 1;
    let until = 0;
    for (const server of this.#servers.values()) {
      if (now - server.heardAt > HEARD_MS && now >= server.until) continue;
      common = Math.min(common, this.#shareOf(server, "normal", now));
      if (server.percent > 0 && server.until > now) until = Math.max(until, server.until);
    }
    this.#activeUntil = until;
    this.#common = until === 0 ? 0 : common;
  }

  #forget(now: number): void {
    for (const [name, server] of this.#servers)
      if (now - server.heardAt > HEARD_MS && now >= server.until) this.#servers.delete(name);
    const oldest = this.#servers.keys().next().value;
    if (this.#servers.size >= MAX_SERVERS && oldest !== undefined) this.#servers.delete(oldest);
  }
}
