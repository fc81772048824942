import type { Clock, Timer } from "@ims/runtime";
import { type WatchdogInput, type WatchdogState, watchdogFsm } from "./watchdog.fsm.ts";

export interface WatchdogOptions {
  /** Tw: ms without traffic before a DWR. RFC 3539 §3.4.1: 30 s, at least 6 s. */
  readonly watchdogMs: number;
  /** Tw while a silence is being looked into and in REOPEN. */
  readonly probeMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface WatchdogEffects {
  /** Sends a DWR. */
  send(): void;
  /** The peer answers no more: its requests go elsewhere. */
  failover(): void;
  /** The peer may be used (again). */
  failback(): void;
  close(): void;
}

/** Drives `watchdogFsm` for one peer. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #options: WatchdogOptions;
  readonly #effects: WatchdogEffects;
  #state: WatchdogState = "initial";
  #pending = false;
  #dwas = 0;
  #hurried = false;
  #timer: Timer | undefined;
  /** When the timer was last put back; messages between put it back lazily, without a timer operation each. */
  #heard = 0;
  #waitMs = 0;

  constructor(clock: Clock, options: WatchdogOptions, effects: WatchdogEffects) {
    this.#clock = clock;
    this.#options = options;
    this.#effects = effects;
  }

  get state(): WatchdogState {
    return this.#state;
  }

  connectionUp(): void {
    this.#handle("connectionUp");
  }

  connectionDown(): void {
    this.#handle("connectionDown");
  }

  dwa(): void {
    this.#hurried = false;
    this.#handle(this.#state === "reopen" && this.#dwas >= 2 ? "thirdDwa" : "dwa");
  }

  /** Any message but a DWA. Costs a field write while all is well. */
  message(): void {
    if (this.#state === "okay" && !this.#hurried) this.#heard = this.#clock.monotonic();
    else {
      this.#hurried = false;
      this.#handle("otherMessage");
    }
  }

  /** A request was not answered in time: asks now instead of after Tw. */
  probe(): void {
    if (this.#state !== "okay" || this.#pending) return;
    this.#hurried = true;
    this.#handle("timer");
  }

  #expire(): void {
    const silent = this.#clock.monotonic() - this.#heard;
    if (this.#state === "okay" && silent < this.#waitMs) {
      this.#timer = this.#clock.setTimer(this.#waitMs - silent, () => this.#expire());
      return;
    }
    if (!this.#pending) this.#handle("timer");
    else this.#handle(this.#state === "reopen" && this.#dwas < 0 ? "timerPendingAgain" : "timerPending");
  }

  #handle(input: WatchdogInput): void {
    const step = watchdogFsm[this.#state][input];
    if (step === undefined) return;
    this.#state = step.next;
    for (const action of step.actions) {
      switch (action) {
        case "setWatchdog":
          this.#set();
          break;
        case "stopWatchdog":
          this.#timer?.cancel();
          this.#pending = false;
          this.#hurried = false;
          break;
        case "sendWatchdog":
          this.#effects.send();
          break;
        case "setPending":
          this.#pending = true;
          break;
        case "clearPending":
          this.#pending = false;
          break;
        case "failover":
          this.#effects.failover();
          break;
        case "failback":
          this.#effects.failback();
          break;
        case "closeConnection":
          this.#effects.close();
          break;
        case "resetDwa":
          this.#dwas = 0;
          break;
        case "countDwa":
          this.#dwas++;
          break;
        default:
          this.#dwas = -1;
      }
    }
  }

  /** RFC 3539 §3.4.1: Tw with a jitter of 2 s either way, here less for a shorter Tw. */
  #set(): void {
    const { watchdogMs, probeMs, random } = this.#options;
    const short = this.#hurried || this.#state === "suspect" || this.#state === "reopen";
    const wait = short ? Math.min(probeMs, watchdogMs) : watchdogMs;
    const jitter = Math.min(2_000, wait / 3);
    this.#waitMs = wait + (random() * 2 - 1) * jitter;
    this.#heard = this.#clock.monotonic();
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#waitMs, () => this.#expire());
  }
}
