import type { Clock } from "@ims/runtime";
import type { CalendarStore } from "@ims/store";
import type { ProfileReader } from "../profile/profile-reader.ts";
import type { DurableReadResult, DurableRegistrations } from "./durable-registrations.ts";
import { type DurableSet, rowsFor, type SetChange, setKeysOf, setOf } from "./durable-rows.ts";
import type { TwoSites } from "./moved-sets.ts";
import type { SiteWatch } from "./site-watch.ts";

/** Failures in a row that say the store is away, rather than one slow node of it. */
const FAILURES = 3;
/** Then the store is left alone this long: requests do not each wait for their own. */
const REST_MS = 500;

/** "required": what cannot be written durably is refused; "preferred": it is accepted, counted and written later. */
export type DurableWrites = "preferred" | "required";

export interface DurableModules {
  readonly rows: DurableRegistrations;
  readonly calendar: CalendarStore;
  readonly writes: DurableWrites;
  /** The working copy ends with this process: it need not wait for the calendar. */
  readonly volatile?: true;
  /** This site of two, which have the rows in common and nothing else; undefined: there is one. */
  readonly site?: TwoSites | undefined;
}

export type DurableRead = DurableSet | { readonly kind: "unavailable" };

/** Durable rows and calendar behind one circuit breaker each. */
export class DurableCopy {
  readonly mode: DurableWrites;
  readonly volatile: boolean;
  readonly #modules: DurableModules;
  readonly #clock: Clock;
  readonly #readProfile: ProfileReader;
  readonly #rows: Breaker;
  readonly #calendar: Breaker;
  readonly #site: SiteWatch | undefined;

  constructor(modules: DurableModules, clock: Clock, readProfile: ProfileReader, site?: SiteWatch) {
    this.#site = site;
    this.mode = modules.writes;
    this.volatile = modules.volatile ?? false;
    this.#modules = modules;
    this.#clock = clock;
    this.#readProfile = readProfile;
    this.#rows = new Breaker(clock);
    this.#calendar = new Breaker(clock);
  }

  /** Whether a write is worth trying: false for a moment after each failure. */
  get answers(): boolean {
    return this.#rows.closed;
  }

  /** Why the last operation failed; undefined when it did not. */
  get problem(): string | undefined {
    return this.#rows.problem ?? this.#calendar.problem;
  }

  async read(key: string): Promise<DurableRead> {
    const read = await this.#read(key);
    return read.kind === "found" ? setOf(read.rows, key, this.#readProfile) : { kind: "unavailable" };
  }

  /** Of both sites while the other one answers, for what it has acknowledged may not have come here yet. */
  async #read(partition: string): Promise<DurableReadResult> {
    const { rows } = this.#modules;
    if (this.#site?.answers === true) {
      const both = await rows.read(partition, "both");
      if (both.kind === "found") return both;
      this.#site.failed();
    }
    return this.#rows.call(() => rows.read(partition));
  }

  async write(change: SetChange): Promise<"stored" | "unavailable"> {
    return (await this.#rows.call(() => this.#modules.rows.write(rowsFor(change)))).kind;
  }

  /** Sets of a private identity; undefined when the store is away. */
  async setsOf(impi: string): Promise<readonly string[] | undefined> {
    const read = await this.#read(`impi:${impi}`);
    return read.kind === "found" ? setKeysOf(read.rows) : undefined;
  }

  /** The set is looked at then, or now when that has passed. */
  async remind(key: string, at: number): Promise<"stored" | "unavailable"> {
    const entry = { key, at: Math.max(Math.ceil(at), this.#clock.now()) };
    return (await this.#calendar.call(() => this.#modules.calendar.add([entry]))).kind;
  }
}

type Unavailable = { readonly kind: "unavailable"; readonly cause: Error };

class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #restUntil = Number.NEGATIVE_INFINITY;
  #failure: Unavailable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get closed(): boolean {
    return this.#failures < FAILURES || this.#clock.monotonic() >= this.#restUntil;
  }

  get problem(): string | undefined {
    return this.#failure?.cause.message;
  }

  async call<T extends { readonly kind: string }>(
    operation: () => Promise<T | Unavailable>,
  ): Promise<T | Unavailable> {
    if (this.#failure !== undefined && !this.closed) return this.#failure;
    const result = await operation();
    if (result.kind !== "unavailable") {
      this.#failure = undefined;
      this.#failures = 0;
    } else {
      this.#failure = result as Unavailable;
      this.#failures++;
      this.#restUntil = this.#clock.monotonic() + REST_MS;
    }
    return result;
  }
}
