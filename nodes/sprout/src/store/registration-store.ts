import type { Clock } from "@ims/runtime";
import type { KvStore } from "@ims/store";
import type { ProfileReader } from "../profile/profile-reader.ts";
import {
  type Copies,
  type Known,
  NOT_FOUND,
  type NotAvailable,
  type RegistrationStoreCounters,
  type StoreProblems,
  UNAVAILABLE,
} from "./copies.ts";
import { DurableCopy, type DurableModules } from "./durable-copy.ts";
import { Outage } from "./outage.ts";
import type { Registration } from "./registration.ts";
import type { WriteMeta } from "./registration-codec.ts";
import { NONE_REMOVED, type RemovedContact } from "./removed-contact.ts";
import { SingleCopy } from "./single-copy.ts";
import { SiteWatch } from "./site-watch.ts";
import { TwoCopies } from "./two-copies.ts";
import { WorkingCopy } from "./working-copy.ts";

const MAX_ATTEMPTS = 8;
const ELSEWHERE: NotAvailable = { kind: "unavailable", elsewhere: true };

export type FindResult =
  | { readonly kind: "found"; readonly registration: Registration; readonly meta?: Known }
  | { readonly kind: "notFound"; readonly meta?: Known }
  | NotAvailable;

export type UpdateResult =
  | { readonly kind: "stored"; readonly registration: Registration }
  | { readonly kind: "removed" }
  | { readonly kind: "unchanged"; readonly registration: Registration | undefined }
  | NotAvailable;

/**
 * What to write, "remove", or "keep" to leave all as it is. Called again after a contention. A terminated set is none. `removed`: contacts
 * that were removed lately.
 */
export type Change = (
  current: Registration | undefined,
  removed: readonly RemovedContact[],
) => Registration | "remove" | "keep";

/** Asked after a change that is to be written: what to know from now on as removed lately. Default: what was. */
export type RemovedBy = () => readonly RemovedContact[];

export interface RegistrationStoreModules {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly readProfile: ProfileReader;
  /** Told of every write: when something of that set lapses. Not used beside a durable copy, which has a calendar. */
  readonly onWrite?: (impu: string, at: number) => void;
  /** Without it the working copy is all there is. */
  readonly durable?: DurableModules;
  readonly counters?: RegistrationStoreCounters;
}

/** Registrations by implicit set: state that outlives this process (its owner is this file). */
export class RegistrationStore {
  readonly #copies: Copies;
  readonly #outage: Outage;
  readonly #site: SiteWatch | undefined;

  constructor({ store, clock, readProfile, durable, counters, onWrite }: RegistrationStoreModules) {
    const working = new WorkingCopy({ store, readProfile });
    this.#outage = new Outage(clock);
    this.#site = durable?.site && new SiteWatch(durable.site, clock);
    this.#copies =
      durable === undefined
        ? new SingleCopy({ working, clock, onWrite, counters })
        : new TwoCopies({
            working,
            durable: new DurableCopy(durable, clock, readProfile, this.#site),
            clock,
            counters,
            site: this.#site,
          });
  }

  /** Name of this site; undefined where there is one. */
  get site(): string | undefined {
    return this.#site?.name;
  }

  /** Begins to listen to the other site. */
  start(): void {
    this.#site?.start((moved) => this.#copies.moved(moved));
  }

  /** Sets whose two copies differ because one of the stores is or was away. */
  get waiting(): number {
    return this.#copies.waiting;
  }

  get problems(): StoreProblems {
    return this.#copies.problems;
  }

  /** Nothing more is retried. */
  stop(): void {
    this.#site?.stop();
    this.#copies.stop();
  }

  /** The set that a canonical identity (or a wildcarded one as provisioned) belongs to; none when it is terminated. */
  async find(impu: string): Promise<FindResult> {
    const found = await this.findWhole(impu);
    if (found.kind !== "found" || found.registration.state !== "terminated") return found;
    return found.meta === undefined ? NOT_FOUND : { kind: "notFound", meta: found.meta };
  }

  /** The same with sets that are terminated. `certain`: as either site has left it, also where this one was told of nothing yet. */
  async findWhole(impu: string, certain = false): Promise<FindResult> {
    const first = await this.#copies.look(impu, certain);
    const result = first.kind === "alias" ? await this.#copies.look(first.of, certain) : first;
    if (result.kind === "unavailable") return this.#away(result);
    return result.kind === "alias" ? NOT_FOUND : result;
  }

  #away(result: NotAvailable): NotAvailable {
    return result === UNAVAILABLE && this.#outage.isNew ? ELSEWHERE : result;
  }

  /** Keys of the sets an IMPI is registered with. */
  async setsOf(impi: string): Promise<readonly string[]> {
    const named = await this.#copies.setsOf(impi);
    const implied = `sip:${impi}`;
    return named.includes(implied) ? named : [...named, implied];
  }

  /** Read, change, write under the version read; repeats on contention. `key` is the default identity of the set. */
  async update(key: string, change: Change, removedBy?: RemovedBy): Promise<UpdateResult> {
    const visible = (set: Registration | undefined): Registration | undefined =>
      set?.state === "terminated" ? undefined : set;
    const result = await this.updateWhole(
      key,
      (current, removed) => change(visible(current), removed),
      removedBy,
    );
    return result.kind === "unchanged" ? { ...result, registration: visible(result.registration) } : result;
  }

  /** The same, terminated sets included. */
  async updateWhole(key: string, change: Change, removedBy?: RemovedBy): Promise<UpdateResult> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const current = await this.#copies.current(key);
      if (current.kind === "unavailable") return this.#away(current);
      const { meta } = current;
      const wanted = change(current.registration, meta.removed ?? NONE_REMOVED);
      if (wanted === "keep") return { kind: "unchanged", registration: current.registration };
      const removed = removedBy?.() ?? meta.removed;
      const known = removed === meta.removed ? current : { ...current, meta: knowing(meta, removed) };
      const result = await this.#copies.write(key, wanted, known);
      if (result === "contention") continue;
      if (result === "unavailable") return UNAVAILABLE;
      return wanted === "remove" ? { kind: "removed" } : { kind: "stored", registration: wanted };
    }
    return UNAVAILABLE;
  }

  /**
   * Makes sure that what the working copy says of an identity is durable: for a request that finds its effect already there, because
   * the member that had begun it died. "unavailable" when it must not be acknowledged.
   */
  async confirm(impu: string): Promise<"stored" | "unavailable"> {
    if (!this.#copies.durable) return "stored";
    const first = await this.#copies.look(impu);
    return this.#copies.confirm(first.kind === "alias" ? first.of : impu);
  }
}

function knowing(
  { removed: _, ...meta }: WriteMeta,
  removed: readonly RemovedContact[] | undefined,
): WriteMeta {
  return removed === undefined || removed.length === 0 ? meta : { ...meta, removed };
}
