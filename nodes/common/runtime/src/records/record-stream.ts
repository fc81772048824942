import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { MetricsRegister } from "../metrics/register.ts";
import type { RecordSink } from "./record-sink.ts";

export interface RecordStreamOptions {
  /** What the records are, for people: "analytics events". */
  readonly what: string;
  /** First part of the metric names: `ims_<node>_<what>`. */
  readonly metricsPrefix: string;
  /** Records kept while the sink does not take them; beyond that the newest are dropped and counted. */
  readonly maxQueued: number;
  /** Of the problem that lines in the log name when the sink does not take them. */
  readonly problemId: string;
}

export interface RecordStreamModules<T> {
  readonly sink: RecordSink<T>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly register: MetricsRegister;
}

/** Records of that time go together. */
const LINGER_MS = 100;
/** Records of one write: what a sink makes of them must not hold up the loop. */
const BATCH = 200;
/** What waited while the sink was away goes with pauses, some 8,000 records a second: who is served meanwhile comes first. */
const BATCH_PAUSE_MS = 20;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Brings records to a sink in the background, in order. Whoever makes them never waits for it, and never hears of its troubles. */
export class RecordStream<T> {
  readonly #options: RecordStreamOptions;
  readonly #modules: RecordStreamModules<T>;
  #queue: T[] = [];
  #written = 0;
  #dropped = 0;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #state: "new" | "started" | "stopped" = "new";
  #isStopping = false;
  /** Failures in a row. */
  #failed = 0;
  #problem: string | undefined;

  constructor(options: RecordStreamOptions, modules: RecordStreamModules<T>) {
    this.#options = options;
    this.#modules = modules;
    const { what, metricsPrefix: prefix } = options;
    const { register } = modules;
    register.gauge({
      name: `${prefix}_written_total`,
      help: `${what} that were written`,
      type: "counter",
      value: () => this.#written,
    });
    register.gauge({
      name: `${prefix}_dropped_total`,
      help: `${what} that were dropped because too many waited to be written`,
      type: "counter",
      value: () => this.#dropped,
    });
    register.gauge({
      name: `${prefix}_queued`,
      help: `${what} that wait to be written`,
      value: () => this.#queue.length,
    });
  }

  /** Why an operator should look; undefined when records are taken. */
  get problem(): string | undefined {
    if (this.#problem === undefined) return undefined;
    return `${this.#problem}; ${this.#queue.length} ${this.#options.what} wait, ${this.#dropped} were dropped`;
  }

  /** Opens the sink: what an earlier process has left there is put in order. */
  start(): void {
    if (this.#timer === undefined && this.#running === undefined) this.#arm(0);
  }

  /** Never throws, never waits. */
  offer(record: T): void {
    if (this.#queue.length >= this.#options.maxQueued || this.#state === "stopped") {
      this.#dropped++;
      return;
    }
    this.#queue.push(record);
    if (this.#timer === undefined && this.#running === undefined) this.#arm(LINGER_MS);
  }

  /** Writes what waits, as far as it goes within that time; what is still there then is dropped. */
  async stop(withinMs = 1_000): Promise<void> {
    this.#timer?.cancel();
    this.#isStopping = true;
    const { clock, sink, log } = this.#modules;
    const done = (async () => {
      await this.#running;
      if (this.#queue.length > 0) await this.#pump();
      this.#state = "stopped";
      await sink.stop();
    })().catch((err: unknown) => this.#fails(err));
    await Promise.race([done, new Promise<void>((late) => void clock.setTimer(withinMs, late))]);
    this.#state = "stopped";
    this.#timer?.cancel();
    const left = this.#queue.splice(0).length;
    this.#dropped += left;
    const { problemId } = this.#options;
    if (left > 0)
      log.error({ dropped: left, problemId }, `${this.#options.what} could not be written before the end`);
  }

  #arm(ms: number): void {
    this.#timer = this.#modules.clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#running = this.#pump().finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0 && this.#timer === undefined) this.#arm(LINGER_MS);
      });
    });
  }

  async #pump(): Promise<void> {
    const { sink } = this.#modules;
    try {
      if (this.#state === "new") {
        await sink.start();
        if (this.#state === "new") this.#state = "started";
      }
      while (this.#queue.length > 0 && this.#state === "started") {
        const batch = this.#queue.slice(0, BATCH);
        await sink.write(batch);
        this.#queue.splice(0, batch.length);
        this.#written += batch.length;
        this.#works();
        if (!this.#isStopping && this.#queue.length > 0)
          await new Promise<void>((go) => void this.#modules.clock.setTimer(BATCH_PAUSE_MS, go));
      }
    } catch (error) {
      this.#fails(error);
    }
  }

  #works(): void {
    if (this.#failed === 0) return;
    this.#failed = 0;
    this.#problem = undefined;
    const { what } = this.#options;
    this.#modules.log.info({ dropped: this.#dropped }, `${what} are written again`);
  }

  #fails(err: unknown): void {
    const { what, problemId } = this.#options;
    if (this.#failed === 0)
      this.#modules.log.error({ err, problemId }, `${what} cannot be written; they wait`);
    this.#problem = `${what} cannot be written: ${err instanceof Error ? err.message : String(err)}`;
    if (this.#state === "stopped") return;
    this.#arm(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failed++, 10)));
  }
}
