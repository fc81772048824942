import type { ChargingEvent } from "@ims/ims";
import type { Clock, Logger, MetricsRegister, Timer } from "@ims/runtime";
import { CHARGING_EVENTS_PATH, chargingReportSchema, MAX_CHARGING_EVENTS } from "./charging.ts";
import { apiProblems } from "./problems.ts";

export interface ChargingClientOptions {
  /** Base URLs of the ralfs; any of them takes any event. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Events kept while no ralf takes them; beyond that the newest are lost. Default 100,000. */
  readonly maxQueued?: number;
  readonly register?: MetricsRegister;
  /** First part of the metric names. */
  readonly metricsPrefix?: string;
  /** Which one is asked first. Default Math.random. */
  readonly random?: () => number;
}

export interface ChargingClientCounters {
  taken: number;
  refused: number;
  /** Lost: nobody took them for too long. */
  lost: number;
  failures: number;
}

const COUNTERS = [
  ["taken", "Charging events that a ralf took"],
  ["refused", "Charging events that a ralf refused"],
  ["lost", "Charging events that no ralf took for too long"],
  ["failures", "Requests to ralf that failed"],
] as const satisfies readonly (readonly [keyof ChargingClientCounters, string])[];

/** Events of one turn go together, and what comes while a request is on its way is the next one. */
const LINGER_MS = 5;
const DEADLINE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Brings charging events to a ralf, in order, one request at a time; another ralf when one does not answer. */
export class ChargingClient {
  readonly #options: ChargingClientOptions;
  readonly #maxQueued: number;
  readonly counters: ChargingClientCounters = { taken: 0, refused: 0, lost: 0, failures: 0 };
  #queue: ChargingEvent[] = [];
  #at: number;
  #timer: Timer | undefined;
  #sending = false;
  #stopped = false;
  #resent = false;
  /** Failures in a row. */
  #failed = 0;
  #limit = MAX_CHARGING_EVENTS;
  #idle: (() => void)[] = [];

  constructor(options: ChargingClientOptions) {
    this.#options = options;
    const { register, metricsPrefix = "ims" } = options;
    register?.gauge({
      name: `${metricsPrefix}_charging_events_queued`,
      help: "Charging events that no ralf has taken yet",
      value: () => this.#queue.length,
    });
    for (const [name, help] of COUNTERS)
      register?.gauge({
        name: `${metricsPrefix}_charging_events_${name}_total`,
        help,
        type: "counter",
        value: () => this.counters[name],
      });
    this.#maxQueued = options.maxQueued ?? 100_000;
    this.#at = Math.floor((options.random ?? Math.random)() * options.urls.length);
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Why an operator should look; undefined when events are taken. */
  get problem(): string | undefined {
    if (this.#failed < this.#options.urls.length) return undefined;
    return `no ralf takes charging events, ${this.#queue.length} wait`;
  }

  /** Never throws, never waits. */
  send(event: ChargingEvent): void {
    if (this.#queue.length >= this.#maxQueued || this.#stopped) {
      if (this.counters.lost++ === 0)
        this.#options.log.error(
          { problemId: apiProblems.chargingLost.id },
          "charging events are lost: no ralf took them",
        );
      return;
    }
    this.#queue.push(event);
    if (!this.#sending && this.#timer === undefined) this.#arm(LINGER_MS);
  }

  /** Resolves when all events are taken, or the signal aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.#queue.length === 0 && !this.#sending) return;
    if (!this.#sending) this.#arm(0);
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  }

  /** As `flush`, at most that long; what is still there then is lost. */
  async stop(withinMs = 1_000): Promise<void> {
    const deadline = new AbortController();
    const timer = this.#options.clock.setTimer(withinMs, () => deadline.abort());
    await this.flush(deadline.signal);
    timer.cancel();
    this.#stopped = true;
    this.#timer?.cancel();
    this.counters.lost += this.#queue.length;
    if (this.#queue.length > 0)
      this.#options.log.error(
        { events: this.#queue.length, problemId: apiProblems.chargingLost.id },
        "charging events are lost: no ralf took them",
      );
    this.#queue = [];
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = undefined;
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#sending || this.#stopped) return;
    this.#sending = true;
    try {
      while (this.#queue.length > 0 && !this.#stopped) {
        const batch = this.#queue.slice(0, this.#limit);
        const outcome = await this.#post(batch);
        if (outcome === "failed") {
          this.#later();
          return;
        }
        if (outcome === "tooLarge" && batch.length > 1) {
          this.#limit = Math.ceil(batch.length / 2);
          continue;
        }
        if (outcome === "tooLarge") this.counters.refused++;
        this.#queue.splice(0, batch.length);
        this.#limit = MAX_CHARGING_EVENTS;
        this.#resent = false;
        this.#failed = 0;
      }
    } finally {
      this.#sending = false;
      if (this.#queue.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The next ralf at once; after a round of all of them a pause that grows. */
  #later(): void {
    const { urls, log } = this.#options;
    this.counters.failures++;
    this.#failed++;
    this.#at = (this.#at + 1) % urls.length;
    const rounds = Math.floor(this.#failed / urls.length);
    if (this.#failed === urls.length)
      log.warn(
        { ralf: urls, problemId: apiProblems.chargingUndelivered.id },
        "no ralf takes charging events; they wait",
      );
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(rounds, 8));
    this.#arm(this.#failed % urls.length === 0 ? pause : 0);
  }

  async #post(events: readonly ChargingEvent[]): Promise<"taken" | "failed" | "tooLarge"> {
    const url = `${(this.#options.urls[this.#at] ?? "").replace(/\/$/, "")}${CHARGING_EVENTS_PATH}`;
    const resent = this.#resent;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ resent, events }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const body = await response.text();
      if (response.status === 413) return "tooLarge";
      if (response.status !== 202) {
        this.#options.log.warn(
          { url, status: response.status, problemId: apiProblems.chargingRefused.id },
          "charging events were not taken",
        );
        return "failed";
      }
      const report = chargingReportSchema.safeParse(JSON.parse(body));
      if (!report.success) return "failed";
      const { accepted, refused } = report.data;
      this.counters.taken += accepted;
      this.counters.refused += refused.length;
      if (refused.length > 0)
        this.#options.log.error(
          { url, first: refused[0], problemId: apiProblems.chargingRefused.id },
          "charging events were refused",
        );
      return "taken";
    } catch {
      // Perhaps it was taken all the same.
      this.#resent = true;
      return "failed";
    }
  }
}
