import type { AlarmList } from "../alarm/alarm-list.ts";
import type { Logger } from "../log/logger.ts";
import { runtimeProblems } from "../problems.ts";
import type { ShownOption } from "./shown-options.ts";

/** What a node was started with, or would be now. */
export interface LiveState {
  readonly options: Readonly<Record<string, unknown>>;
  readonly shown: Readonly<Record<string, ShownOption>>;
  /** Options whose schema says `reload: "hot"`. */
  readonly hot: ReadonlySet<string>;
}

export type LiveReading =
  | ({ readonly kind: "loaded" } & LiveState)
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

/** Takes the new value of an option; false: it cannot be taken without a restart after all. */
export type TakeOption<T> = (value: T) => boolean | undefined;

/** How parts of a node hear of options that change while it runs. */
export interface LiveOptions {
  follow<T>(key: string, take: TakeOption<T>): void;
}

/** What a reading has changed: in force, or with the next start. */
export interface Reloaded {
  readonly taken: readonly string[];
  readonly restart: readonly string[];
}

/**
 * The options of a running node: read again when their files change. What its schema calls hot is in force at once, the rest is
 * shown as pending; a configuration that the node would not start with changes nothing and is an alarm.
 */
export class LiveConfig implements LiveOptions {
  readonly #log: Logger;
  readonly #hot: ReadonlySet<string>;
  readonly #takers = new Map<string, TakeOption<unknown>[]>();
  readonly #inForce: Map<string, unknown>;
  readonly #shown: Map<string, ShownOption>;
  #problem: string | undefined;

  constructor(
    state: LiveState,
    modules: { readonly log: Logger; readonly alarms: AlarmList; readonly files: readonly string[] },
  ) {
    this.#log = modules.log;
    this.#hot = state.hot;
    this.#inForce = new Map(Object.entries(state.options));
    this.#shown = new Map(Object.entries(state.shown));
    modules.alarms.watch(runtimeProblems.configurationRefused, () =>
      this.#problem === undefined ? undefined : { object: modules.files.join(", "), text: this.#problem },
    );
  }

  /** Every option with its value in force, secrets replaced, where it came from, and what it will be after a restart. */
  get shown(): Readonly<Record<string, ShownOption>> {
    return Object.fromEntries(this.#shown);
  }

  /** Why the files as they are now are not in force. */
  get problem(): string | undefined {
    return this.#problem;
  }

  follow<T>(key: string, take: TakeOption<T>): void {
    if (!this.#hot.has(key)) throw new RangeError(`${key} is no option that changes while the node runs`);
    this.#takers.set(key, [...(this.#takers.get(key) ?? []), take as TakeOption<unknown>]);
  }

  /** The value in force. */
  value(key: string): unknown {
    return this.#inForce.get(key);
  }

  /** Takes what the files say now. */
  take(reading: LiveReading): Reloaded {
    if (reading.kind === "invalid") {
      const problem = reading.lines.join("; ");
      if (problem !== this.#problem)
        this.#log.error(
          { problem, problemId: runtimeProblems.configurationRefused.id },
          "the configuration stays as it is",
        );
      this.#problem = problem;
      return { taken: [], restart: [] };
    }
    this.#problem = undefined;
    const taken: string[] = [];
    const restart: string[] = [];
    for (const [key, now] of Object.entries(reading.shown)) {
      const value = reading.options[key];
      const { next: waited, ...was } = this.#shown.get(key) ?? now;
      if (same(value, this.#inForce.get(key))) {
        this.#shown.set(key, now);
        continue;
      }
      if (this.#hot.has(key) && this.#tell(key, value)) {
        this.#inForce.set(key, value);
        this.#shown.set(key, now);
        taken.push(key);
        continue;
      }
      this.#shown.set(key, { ...was, next: now });
      if (waited === undefined || !same(waited, now)) restart.push(key);
    }
    if (taken.length + restart.length > 0)
      this.#log.info({ taken, restart }, "configuration read again: taken now, and with the next start");
    return { taken, restart };
  }

  /** All must take it, and somebody. */
  #tell(key: string, value: unknown): boolean {
    const takers = this.#takers.get(key) ?? [];
    return takers.length > 0 && takers.map((take) => take(value) !== false).every((taken) => taken);
  }
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
