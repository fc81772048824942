import { Patience } from "./patience.ts";

/**
 * exempt: never shed. privileged: completes or keeps what was begun with our consent, shed last. normal: new work.
 */
export type AdmissionClass = "exempt" | "privileged" | "normal";

export interface AdmissionControlOptions {
  /** Delay to steer towards, ms. */
  readonly targetMs: number;
  /** Requests a second that are admitted whatever the delay is: less than any machine can serve. */
  readonly floor: number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** What shows the capacity: the requests taken (they are handled at once), or those answered (they wait for somebody). */
  readonly capacity?: "taken" | "answered";
}

/**
 * For so long after a measurement that was late the delay must stay or grow: what stood still for a garbage collection works off what has
 * come meanwhile.
 */
const LATE_MS = 400;
/** A measurement counts for no longer: one that comes later has seen a process that stood still, not one that does not get on with its work. */
const LONGEST_LOOK_MS = 100;
/** For so long it may have been late in all, whatever the measurements say. */
const LATEST_MS = 2_000;
/** And this long without a refusal before limiting ends, ms. */
const CALM_MS = 500;
/** Tokens for this long may be saved up, and privileged requests may be in debt as much. */
const BURST_MS = 100;
const DEBT_MS = 100;
/** Steps of the rate at one measurement: up near the target and without any delay, down near the target and far beyond it. */
const LEAST_RISE = 0.02;
const LARGEST_RISE = 0.2;
const LEAST_FALL = 0.05;
const LARGEST_FALL = 0.3;
/** Not below this share of what was served at best lately: to refuse what has queued up takes no more than the rest. */
const LEAST_SHARE = 0.5;
/** How fast the best is forgotten, at each measurement. */
const FORGET = 0.98;
/** Privileged requests may have waited so many times the target before none is taken. */
const PRIVILEGED_PATIENCE = 4;

/**
 * Takes no more than the process gets done. Without delay nothing is limited and nothing asked. Once the delay stays beyond its
 * target, it depends on what is known of a request:
 *
 * - How long it has waited: the longer, the fewer are taken, and none beyond the target. So the queue stays about as long as that, the process
 *   is never idle, and what it takes is its capacity, without an estimate of it.
 * - Not how long: a token bucket, whose rate follows what the process gets done. While the delay is beyond its target, what was served
 *   in the meantime is the capacity: the rate is set a little below that, the more the longer the delay. While the delay is below its
 *   target and somebody was refused, the rate rises.
 */
export class AdmissionControl {
  #options: AdmissionControlOptions;
  readonly #normal = new Patience();
  readonly #privileged = new Patience();
  #limiting = false;
  #rate = Number.POSITIVE_INFINITY;
  #tokens = 0;
  #refilledAt = 0;
  /** Measurements in a row that were late, the time in which their delay did not fall, and the last one's. */
  #late = 0;
  #lateMs = 0;
  #lateSince = 0;
  #delayMs = 0;
  #calmSince = 0;
  #served = 0;
  #servedRate = 0;
  #best = 0;
  #refused = 0;
  /** Requests taken because they had not waited long, and how many those are a second. */
  #timely = 0;
  #timelyRate = 0;
  /** Was anything asked of the bucket since the last measurement, and in the time before that one? */
  #asked = false;
  #bucketInUse = false;
  /** Was somebody refused for having waited too long since the last measurement, and when was that last so? */
  #tooLate = false;
  #tooLateAt = Number.NEGATIVE_INFINITY;

  constructor(options: AdmissionControlOptions) {
    this.#options = options;
  }

  /** False: everything is to be taken without asking. */
  get limiting(): boolean {
    return this.#limiting;
  }

  /** Requests a second that are taken; infinite while nothing is limited. */
  get rate(): number {
    return this.#bucketInUse || !this.#limiting ? this.#rate + this.#timelyRate : this.#timelyRate;
  }

  /** From the next measurement on. */
  retarget(to: Partial<Pick<AdmissionControlOptions, "targetMs" | "floor">>): void {
    this.#options = { ...this.#options, ...to };
  }

  /** The rate, where it is less than what comes; undefined while all of that is taken. */
  get bound(): number | undefined {
    if (!this.#limiting) return undefined;
    return this.#bucketInUse || this.#options.now() - this.#tooLateAt < CALM_MS ? this.rate : undefined;
  }

  /** A request was taken while nothing was limited; with `capacity: "answered"`: one was answered. */
  served(): void {
    if (!this.#limiting || this.#options.capacity === "answered") this.#served++;
  }

  /** May it be taken? Only of interest while limiting. `waitedMs`: how long it has waited, where that is known. */
  admit(kind: AdmissionClass, waitedMs?: number): boolean {
    if (!this.#limiting || kind === "exempt") return true;
    const taken = waitedMs === undefined ? this.#takesToken(kind) : this.#takesTimely(kind, waitedMs);
    if (!taken) this.#refused++;
    return taken;
  }

  #takesToken(kind: AdmissionClass): boolean {
    this.#asked = true;
    this.#refill();
    const least = kind === "privileged" ? -Math.max(5, (this.#rate * DEBT_MS) / 1000) : 1;
    if (this.#tokens < least) return false;
    this.#tokens--;
    if (this.#options.capacity !== "answered") this.#served++;
    return true;
  }

  #takesTimely(kind: AdmissionClass, waitedMs: number): boolean {
    const { targetMs } = this.#options;
    const taken =
      kind === "privileged"
        ? this.#privileged.takes(waitedMs, targetMs * PRIVILEGED_PATIENCE)
        : this.#normal.takes(waitedMs, targetMs);
    if (taken) this.#timely++;
    else this.#tooLate = true;
    return taken;
  }

  /** One measurement: the longest delay since the last one. */
  measured(delayMs: number, elapsedMs: number): void {
    const { targetMs, floor, now } = this.#options;
    const served = (this.#served * 1000) / Math.max(1, elapsedMs);
    this.#servedRate = this.#servedRate === 0 ? served : 0.5 * this.#servedRate + 0.5 * served;
    this.#best = Math.max(this.#servedRate, this.#best * FORGET);
    const refused = this.#refused;
    this.#served = 0;
    this.#refused = 0;
    const late = delayMs > targetMs;
    this.#late = late ? this.#late + 1 : 0;
    if (this.#late < 2) [this.#lateMs, this.#lateSince] = [0, now()];
    else if (delayMs >= this.#delayMs) this.#lateMs += Math.min(elapsedMs, LONGEST_LOOK_MS);
    this.#delayMs = delayMs;
    if (!this.#limiting) {
      const stays = this.#lateMs >= LATE_MS || (late && now() - this.#lateSince >= LATEST_MS);
      if (stays && this.#servedRate > floor) this.#begin(delayMs);
      return;
    }
    this.#timelyRate = 0.5 * this.#timelyRate + (500 * this.#timely) / Math.max(1, elapsedMs);
    this.#timely = 0;
    this.#bucketInUse = this.#asked;
    this.#asked = false;
    if (this.#tooLate) this.#tooLateAt = now();
    this.#tooLate = false;
    if (late) this.#rate = this.#reduced(delayMs);
    else if (refused > 0)
      this.#rate *= 1 + LEAST_RISE + (LARGEST_RISE - LEAST_RISE) * (1 - delayMs / targetMs);
    if (late || refused > 0) this.#calmSince = now();
    else if (now() - this.#calmSince >= CALM_MS) this.#end();
  }

  #begin(delayMs: number): void {
    this.#limiting = true;
    this.#rate = this.#reduced(delayMs);
    this.#tokens = 0;
    this.#timely = 0;
    this.#timelyRate = 0;
    this.#asked = false;
    this.#bucketInUse = true;
    this.#best = this.#servedRate;
    this.#servedRate = 0;
    this.#refilledAt = this.#options.now();
    this.#calmSince = this.#refilledAt;
  }

  #end(): void {
    this.#limiting = false;
    this.#late = 0;
    this.#lateMs = 0;
    this.#rate = Number.POSITIVE_INFINITY;
    this.#timelyRate = 0;
  }

  /** What was served meanwhile, less a little. A process that did not get to run has served nothing: no step is too large. */
  #reduced(delayMs: number): number {
    const { targetMs, floor } = this.#options;
    const excess = delayMs / targetMs - 1;
    const fall = Math.min(LARGEST_FALL, LEAST_FALL + 0.05 * excess);
    const before = Number.isFinite(this.#rate) ? this.#rate : this.#servedRate;
    const next = Math.max(Math.min(before, this.#servedRate) * (1 - fall), before * (1 - LARGEST_FALL));
    return Math.max(floor, next, Math.min(before, this.#best * LEAST_SHARE));
  }

  #refill(): void {
    const now = this.#options.now();
    const tokens = this.#tokens + ((now - this.#refilledAt) * this.#rate) / 1000;
    this.#tokens = Math.min(tokens, Math.max(5, (this.#rate * BURST_MS) / 1000));
    this.#refilledAt = now;
  }
}
