import type { Clock, Logger, MetricsRegister, Timer } from "@ims/runtime";
import {
  CALL_FRAGMENTS_PATH,
  type CallFragment,
  callFragmentsReportSchema,
  MAX_CALL_FRAGMENTS,
} from "./call-lists.ts";
import { apiProblems } from "./problems.ts";

export interface CallListClientOptions {
  /** Base URLs of the homers, core port; any of them takes any fragment. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly register: MetricsRegister;
  /** First part of the metric names. */
  readonly metricsPrefix: string;
  /** Fragments kept while no homer takes them; beyond that the newest are lost. Default 20,000. */
  readonly maxQueued?: number;
  /** Which one is asked first. Default Math.random. */
  readonly random?: () => number;
}

/** What comes meanwhile goes along. */
const LINGER_MS = 20;
const DEADLINE_MS = 5_000;
const PAUSE_MS = 1_000;

/** Brings fragments of calls to homer behind the calls' back, one request at a time; to another homer when one does not take them. */
export class CallListClient {
  readonly #options: CallListClientOptions;
  readonly #maxQueued: number;
  readonly #lost: () => void;
  #queue: CallFragment[] = [];
  #at: number;
  #timer: Timer | undefined;
  #sending = false;
  #stopped = false;
  /** Failures in a row. */
  #failed = 0;
  #idle: (() => void)[] = [];

  constructor(options: CallListClientOptions) {
    const { register, metricsPrefix, urls } = options;
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? 20_000;
    this.#at = Math.floor((options.random ?? Math.random)() * urls.length);
    register.gauge({
      name: `${metricsPrefix}_call_fragments_queued`,
      help: "Fragments of call lists that no homer has taken yet",
      value: () => this.#queue.length,
    });
    const lost = register.counter({
      name: `${metricsPrefix}_call_fragments_lost_total`,
      help: "Fragments of call lists that no homer took",
      labels: {},
    });
    this.#lost = () => lost.inc({});
  }

  /** Why an operator should look; undefined when fragments are taken. */
  get problem(): string | undefined {
    if (this.#failed < this.#options.urls.length) return undefined;
    return `no homer takes call lists, ${this.#queue.length} fragments wait`;
  }

  /** Never throws, never waits. */
  send(fragment: CallFragment): void {
    if (this.#stopped || this.#queue.length >= this.#maxQueued) return this.#lost();
    this.#queue.push(fragment);
    if (!this.#sending && this.#timer === undefined) this.#arm(LINGER_MS);
  }

  /** Waits at most that long for what is still to be sent; the rest is lost. */
  async stop(withinMs = 1_000): Promise<void> {
    if (this.#queue.length > 0 || this.#sending) {
      if (!this.#sending) this.#arm(0);
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.setTimer(withinMs, resolve);
        this.#idle.push(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    this.#stopped = true;
    this.#timer?.cancel();
    for (const _ of this.#queue) this.#lost();
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
        const batch = this.#queue.slice(0, MAX_CALL_FRAGMENTS);
        const problem = await this.#post(batch);
        if (problem !== undefined) return this.#later(problem);
        this.#queue.splice(0, batch.length);
        if (this.#failed >= this.#options.urls.length)
          this.#options.log.info({}, "call lists are written again");
        this.#failed = 0;
      }
    } finally {
      this.#sending = false;
      if (this.#queue.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The next homer at once; after a round of all of them a pause. */
  #later(problem: string): void {
    const { urls, log } = this.#options;
    this.#failed++;
    this.#at = (this.#at + 1) % urls.length;
    if (this.#failed === urls.length)
      log.error(
        { problem, problemId: apiProblems.callListsUndelivered.id },
        "call lists cannot be written; fragments wait",
      );
    this.#arm(this.#failed % urls.length === 0 ? PAUSE_MS : 0);
  }

  /** What went wrong; undefined: they are written, or were refused for good. */
  async #post(fragments: readonly CallFragment[]): Promise<string | undefined> {
    const url = `${(this.#options.urls[this.#at] ?? "").replace(/\/$/, "")}${CALL_FRAGMENTS_PATH}`;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ fragments }),
        redirect: "error",
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const body = await response.text();
      if (response.status === 400) {
        // A homer of another release: what it does not understand now it will not understand later.
        this.#options.log.error(
          { url, problem: body.slice(0, 200), problemId: apiProblems.callFragmentsRefused.id },
          "fragments of call lists were refused",
        );
        for (const _ of fragments) this.#lost();
        return undefined;
      }
      if (response.status !== 200) return `${url}: status ${response.status}`;
      return callFragmentsReportSchema.safeParse(JSON.parse(body)).success
        ? undefined
        : `${url}: no report of what was written`;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return `${url}: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  }
}
