import type { Clock } from "@ims/runtime";
import type { Version } from "@ims/store";
import type { RegistrationStoreCounters } from "./copies.ts";
import type { DurableCopy } from "./durable-copy.ts";
import { nextExpiry, type Registration } from "./registration.ts";
import type { WriteMeta } from "./registration-codec.ts";
import { mergeRegistrations, sameBindings } from "./registration-merge.ts";
import { type RetryOutcome, RetryQueue } from "./retry-queue.ts";
import type { SiteWatch } from "./site-watch.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** Sets whose copies are to be brought together. */
const MAX_WAITING = 100_000;
/** Rounds in which a working copy has to stand still: longer than any write takes from it to the rows. */
const QUIET_ROUNDS = 12;

/** What was written to the working copy only. */
export interface Remembered {
  readonly registration: Registration | undefined;
  readonly meta: WriteMeta;
}

/** What was seen of a working copy that differs from the rows. */
interface Looked {
  version: Version | undefined;
  /** In a row, with that version. */
  rounds: number;
  /** They were alike, but not all members see the same working copy yet. */
  compared: boolean;
}

/** Brings working and durable copy of a set together once the store that was away is back. */
export class BringTogether {
  readonly #modules: {
    readonly working: WorkingCopy;
    readonly durable: DurableCopy;
    readonly clock: Clock;
    readonly counters: RegistrationStoreCounters | undefined;
    readonly site: SiteWatch | undefined;
  };
  readonly #behind: RetryQueue<Remembered>;
  readonly #ahead: RetryQueue<Looked>;

  constructor(modules: {
    readonly working: WorkingCopy;
    readonly durable: DurableCopy;
    readonly clock: Clock;
    readonly counters: RegistrationStoreCounters | undefined;
    readonly site: SiteWatch | undefined;
  }) {
    this.#modules = modules;
    const queue = { clock: modules.clock, limit: MAX_WAITING };
    this.#behind = new RetryQueue({
      ...queue,
      intervalMs: 500,
      work: (key, { registration, meta }) => this.settle(key, registration, meta),
    });
    this.#ahead = new RetryQueue({
      ...queue,
      intervalMs: 250,
      work: (key, looked) => this.#reconcile(key, looked),
    });
  }

  get size(): number {
    return this.#behind.size + this.#ahead.size;
  }

  /** The durable copy lacks something of that set. False when there is no room to remember that. */
  behind(key: string, remembered: Remembered): boolean {
    return this.#behind.add(key, remembered);
  }

  /** The working copy, which does not answer, lacks something of that set. */
  ahead(key: string): boolean {
    return this.#ahead.add(key, { version: undefined, rounds: 0, compared: false });
  }

  /** No more retries. */
  stop(): void {
    this.#behind.stop();
    this.#ahead.stop();
  }

  /** Makes the durable rows say what the working copy says; what is remembered counts where that says nothing. */
  async settle(
    key: string,
    remembered: Registration | undefined,
    rememberedMeta: WriteMeta,
  ): Promise<RetryOutcome> {
    const { working, durable, clock, counters, site } = this.#modules;
    if (!durable.answers) return "wait";
    const read = await working.read(key);
    let registration = read.kind === "found" ? read.registration : undefined;
    let meta = read.kind === "found" || read.kind === "none" ? read.meta : undefined;
    if (meta === undefined) {
      registration = remembered;
      meta = rememberedMeta;
    }
    // Nothing is known, or the rows said so.
    if (registration === undefined && meta.stamp === 0) return "done";
    if (meta.stamp === 0) meta = { ...meta, stamp: clock.now() * 1000 };
    const rows = meta.behind === 2 || site !== undefined ? await durable.read(key) : undefined;
    if (rows?.kind === "unavailable") return "wait";
    const from = rows?.kind === "registration" ? rows.registration.site : undefined;
    const moved = site !== undefined && from !== undefined && from !== site.name;
    if (moved && (await site.tell(from, key, 0)) === "unavailable") return "wait";
    if (rows !== undefined && (meta.behind === 2 || moved)) {
      // It was begun without knowing the rows, or the other site has written meanwhile: what they have beside it stays.
      if (rows.kind === "registration" && registration !== undefined)
        registration = mergeRegistrations(registration, rows.registration);
      const merged = { stamp: Math.max(meta.stamp, "stamp" in rows ? rows.stamp : 0) + 1 };
      meta = { ...meta, ...merged, behind: 1 };
      if (read.kind === "found" || read.kind === "none") {
        const put = await working.putEither(key, registration, meta, read.version, clock.now());
        if (put === "contention") return "again";
      }
    }
    const now = clock.now();
    const due = registration && nextExpiry(registration);
    if (due !== undefined && (await durable.remind(key, due)) === "unavailable") return "wait";
    const change = { key, before: undefined, after: registration, stamp: meta.stamp, now };
    if ((await durable.write({ ...change, full: meta.stamp - 1, renew: true })) === "unavailable")
      return "wait";
    if (rememberedMeta.stamp > 0) counters?.copy("settled");
    if (site !== undefined) await this.#inRows(key, meta.stamp);
    return "done";
  }

  /** The rows lack nothing: when the other site changes them, what stands here is not to be added to that. */
  async #inRows(key: string, stamp: number): Promise<void> {
    const { working, clock } = this.#modules;
    const read = await working.read(key);
    if (read.kind !== "found" || read.meta.stamp !== stamp || read.meta.behind === 0) return;
    const meta = { ...read.meta, behind: 0 } as const;
    await working.putEither(key, read.registration, meta, read.version, clock.now());
  }

  /** Makes the working copy, which did not answer for a while, forget what it knew before; once more when all members see the same of it. */
  async #reconcile(key: string, looked: Looked): Promise<RetryOutcome> {
    const settled = this.#modules.working.isSettled(key);
    if (!settled && looked.compared) return "again";
    const outcome = await this.#compare(key, looked);
    if (outcome !== "done" || settled) return outcome;
    looked.compared = true;
    return "again";
  }

  async #compare(key: string, looked: Looked): Promise<RetryOutcome> {
    const { working, durable, clock } = this.#modules;
    const read = await working.read(key);
    if (read.kind === "unavailable") return "wait";
    if (read.kind !== "found" && read.kind !== "none") return "done";
    const rows = await durable.read(key);
    if (rows.kind === "unavailable") return "wait";
    if (rows.kind !== "registration" && rows.kind !== "none") return "done";
    const written = rows.kind === "registration" ? rows.registration : undefined;
    if (rows.stamp <= read.meta.stamp) {
      // Somebody who could reach the working copy has changed it since. What differs may be a write of theirs that is under way.
      const known = read.kind === "found" ? read.registration : undefined;
      if (sameBindings(known, written) && known?.site === written?.site) return "done";
      if (looked.version !== read.version) looked.rounds = 0;
      looked.version = read.version;
      if (++looked.rounds < QUIET_ROUNDS) return "again";
    }
    const registration =
      read.meta.behind > 0 && read.kind === "found" && written !== undefined
        ? mergeRegistrations(written, read.registration)
        : written;
    const meta: WriteMeta = {
      ...read.meta,
      stamp: Math.max(rows.stamp, read.meta.stamp) + 1,
      calendarAt: 0,
      behind: read.meta.behind > 0 ? 1 : 0,
    };
    const now = clock.now();
    const put = await working.putEither(key, registration, meta, read.version, now);
    if (put === "unavailable") return "wait";
    if (put === "contention") return "again";
    if (meta.behind === 1) this.behind(key, { registration, meta });
    return "done";
  }
}
