import type { Clock, Timer } from "../clock.ts";
import { LOG_LEVELS, type Logger, type LogLevel } from "./logger.ts";

/** The level of a log while the process runs. */
export class LogLevelSwitch {
  #configured: LogLevel;
  readonly #log: Logger;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #until: number | undefined;

  constructor(configured: LogLevel, { log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#configured = configured;
    this.#log = log;
    this.#clock = clock;
  }

  /** As the options say. */
  get configured(): LogLevel {
    return this.#configured;
  }

  get current(): LogLevel {
    return LOG_LEVELS.find((level) => level === this.#log.level) ?? this.configured;
  }

  /** When it goes back to what is configured, epoch ms; undefined: not by itself. */
  get until(): number | undefined {
    return this.#until;
  }

  /** `seconds`: how long; undefined: until it is set again, or the process ends. */
  set(level: LogLevel, seconds?: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#until = undefined;
    const from = this.current;
    // In the log by the more talkative of the two levels: the line is there whichever way it goes.
    const tell = (): void =>
      this.#log.info({ from, to: level, ...(seconds === undefined ? {} : { seconds }) }, "log level changed");
    const louder = rankOf(level) > rankOf(from);
    if (!louder) tell();
    this.#log.level = level;
    if (louder) tell();
    if (seconds === undefined || level === this.configured) return;
    this.#until = this.#clock.now() + seconds * 1000;
    this.#timer = this.#clock.setTimer(seconds * 1000, () => this.set(this.configured));
  }

  /** The options say another one: in force unless an operator has set the level by hand. */
  configure(level: LogLevel): void {
    const followed = this.current === this.#configured;
    this.#configured = level;
    if (followed) this.set(level);
  }

  /** Between debug and what is configured (where that is debug: info). */
  toggle(): void {
    const other = this.configured === "debug" ? "info" : "debug";
    this.set(this.current === this.configured ? other : this.configured);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

function rankOf(level: LogLevel): number {
  return level === "silent" ? -1 : LOG_LEVELS.indexOf(level);
}
