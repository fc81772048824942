import type { Clock } from "@ims/runtime";
import { BringTogether } from "./bring-together.ts";
import {
  type Copies,
  type Current,
  type LookResult,
  NEWER,
  NOT_FOUND,
  type RegistrationStoreCounters,
  type StoreProblems,
  UNAVAILABLE,
  UNREADABLE,
} from "./copies.ts";
import type { DurableCopy, DurableRead } from "./durable-copy.ts";
import type { Moved } from "./moved-sets.ts";
import { nextExpiry, type Registration } from "./registration.ts";
import { NO_META, type WriteMeta } from "./registration-codec.ts";
import { inDoubt, sameBindings } from "./registration-merge.ts";
import { GRACE_SECONDS, lifetimeOf, linksOf, renewedFor } from "./set-lifetime.ts";
import type { SiteWatch } from "./site-watch.ts";
import { NONE_SECONDS, type WorkingCopy, type WorkingRead, type WorkingWrite } from "./working-copy.ts";

const MAX_ATTEMPTS = 8;

export interface TwoCopiesModules {
  readonly working: WorkingCopy;
  readonly durable: DurableCopy;
  readonly clock: Clock;
  readonly counters: RegistrationStoreCounters | undefined;
  /** Undefined: there is one site. */
  readonly site: SiteWatch | undefined;
}

/**
 * A working copy and a durable one. The order of a write is: an entry in the expiry calendar, the working copy under the
 * version read, the durable rows, and only then the caller hears "stored". Each change carries a stamp greater than the one
 * before, which decides between rows whatever the clocks say. Without a working copy the durable rows are read, and, as
 * long as it does not answer, written directly: per binding the last write wins.
 */
export class TwoCopies implements Copies {
  readonly durable = true;
  readonly #working: WorkingCopy;
  readonly #durable: DurableCopy;
  readonly #clock: Clock;
  readonly #counters: RegistrationStoreCounters | undefined;
  readonly #together: BringTogether;
  readonly #site: SiteWatch | undefined;
  #away = false;

  constructor(modules: TwoCopiesModules) {
    this.#working = modules.working;
    this.#durable = modules.durable;
    this.#clock = modules.clock;
    this.#counters = modules.counters;
    this.#site = modules.site;
    this.#together = new BringTogether(modules);
  }

  get waiting(): number {
    return this.#together.size;
  }

  get problems(): StoreProblems {
    const otherSite = this.#site !== undefined && !this.#site.answers;
    return { working: this.#away, durable: this.#durable.problem, otherSite };
  }

  stop(): void {
    this.#together.stop();
  }

  async setsOf(impi: string): Promise<readonly string[]> {
    const working = await this.#working.setsOf(impi);
    const known = working.kind === "found" ? working.sets : [];
    if (working.kind === "found" && this.#site === undefined) return known;
    return [...new Set([...known, ...((await this.#durable.setsOf(impi)) ?? [])])];
  }

  /**
   * The working copy; where its servers are just coming back, or the other site may know better, what the rows say beside it. Of two
   * sites a later change in the rows holds; while servers come back the higher stamp alone does not tell who knows more: two members may have written to the rows in one moment, and one of their writes reached a server that woke up later.
   */
  async #read(key: string, certain: boolean): Promise<WorkingRead> {
    const read = await this.#working.read(key);
    if (read.kind !== "found" && read.kind !== "none") return read;
    const settled = this.#working.isSettled(key);
    if (settled && (this.#site === undefined || (!certain && this.#isOurs(read)))) return read;
    const set = await this.#durable.read(key);
    if (read.kind === "none" && set.kind === "alias") return { ...set, version: read.version };
    if (set.kind !== "registration" && set.kind !== "none") return read;
    // What was written here last and is on its way to the rows, unless whoever wrote it died: then the next change writes all of it.
    if (settled && set.stamp <= read.meta.stamp && (read.kind === "none" || this.#isOurs(read)))
      return set.stamp === read.meta.stamp || read.kind === "none" || read.meta.behind !== 0
        ? read
        : { ...read, meta: { ...read.meta, behind: 1 } };
    const working = read.kind === "found" ? read.registration : undefined;
    const rows = set.kind === "registration" ? set.registration : undefined;
    const alike = sameBindings(working, rows) && working?.site === rows?.site;
    if (set.stamp <= read.meta.stamp && alike) return read;
    this.#comparedLater(key);
    const { version } = read;
    const meta = { ...read.meta, stamp: Math.max(set.stamp, read.meta.stamp), calendarAt: 0 } as const;
    const registration = inDoubt({ rows, stamp: set.stamp }, { working, meta: read.meta });
    return registration === undefined
      ? { kind: "none", meta, version }
      : { kind: "found", registration, meta, version };
  }

  /** Each site has a working copy of its own: it holds for a set that was written here last and has not moved. */
  #isOurs(read: WorkingRead): boolean {
    const site = this.#site;
    return site?.trusted === true && read.kind === "found" && read.registration.site === site.name;
  }

  /** The other site has it: the rows are read beside the working copy until it is written here again. */
  async moved({ key, by, base }: Moved): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await this.#working.read(key);
      if (read.kind === "unavailable") break;
      const mine = read.kind === "found" && read.registration.site === this.#site?.name;
      if (!mine && read.kind !== "none") return;
      // Changed here without knowing of each other: that is in the rows, but not in the working copy of the other site.
      if (read.meta.stamp > base) await this.#site?.tell(by, key, Number.MAX_SAFE_INTEGER);
      if (!mine) return;
      const set = { ...read.registration, site: by };
      const put = await this.#working.putEither(key, set, read.meta, read.version, this.#clock.now());
      if (put === "stored") return;
      if (put === "unavailable") break;
    }
    if (!this.#together.ahead(key)) this.#counters?.copy("dropped");
  }

  /** Members that see different servers may each have written to the working copy: it is compared when all see the same. */
  #comparedLater(key: string): void {
    if (this.#working.isSettled(key)) return;
    if (!this.#together.ahead(key)) this.#counters?.copy("dropped");
  }

  async look(key: string, certain = false): Promise<LookResult> {
    const read = await this.#read(key, certain);
    switch (read.kind) {
      case "found":
      case "alias":
        this.#away = false;
        return read;
      case "none":
        return read.meta.removed === undefined ? NOT_FOUND : { kind: "notFound", meta: read.meta };
      case "newer":
        this.#counters?.bad("newer");
        return NEWER;
      case "unreadable":
        this.#counters?.bad("unreadable");
        break;
      case "unavailable":
        this.#away = true;
        break;
      case "notFound":
        this.#away = false;
    }
    const set = await this.#durable.read(key);
    if (read.kind === "notFound") await this.#rebuild(key, set);
    switch (set.kind) {
      case "registration":
        return { kind: "found", registration: set.registration };
      case "alias":
        return set;
      case "none":
        return NOT_FOUND;
      case "unavailable":
        return read.kind === "notFound" && this.#durable.mode === "preferred"
          ? { kind: "unavailable", unknown: true }
          : UNAVAILABLE;
      case "newer":
        return NEWER;
      case "unreadable":
        return UNREADABLE;
    }
  }

  /** What the durable rows say is put where nothing was; a writer that comes first wins. */
  async #rebuild(key: string, set: DurableRead): Promise<"stored" | "contention" | "unavailable"> {
    const now = this.#clock.now();
    switch (set.kind) {
      case "registration": {
        const { registration, stamp } = set;
        const ttlSeconds = lifetimeOf(registration, now);
        const meta = { stamp, calendarAt: 0, behind: 0 } as const;
        const put = await this.#working.put(key, registration, meta, { ifVersion: "absent", ttlSeconds });
        this.#comparedLater(key);
        if (put === "stored") this.#counters?.copy("rebuilt");
        return put;
      }
      case "alias":
        return this.#working.putAlias(key, set.of, GRACE_SECONDS);
      case "none": {
        const meta = { stamp: set.stamp, calendarAt: 0, behind: 0 } as const;
        return this.#working.putNone(key, meta, { ifVersion: "absent", ttlSeconds: NONE_SECONDS });
      }
      default:
        return "unavailable";
    }
  }

  async current(key: string): Promise<Current> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await this.#read(key, true);
      switch (read.kind) {
        case "found":
          return { kind: "known", registration: read.registration, meta: read.meta, version: read.version };
        case "none":
          return { kind: "known", registration: undefined, meta: read.meta, version: read.version };
        case "alias":
          // An identity that has become the default one of a set: the HSS has just said so.
          return { kind: "known", registration: undefined, meta: NO_META, version: read.version };
        case "newer":
          this.#counters?.bad("newer");
          return NEWER;
        case "unreadable":
          this.#counters?.bad("unreadable");
      }
      const set = await this.#durable.read(key);
      if (read.kind !== "notFound") return direct(set);
      if (set.kind === "newer") return NEWER;
      if (set.kind === "unreadable") return UNREADABLE;
      if (set.kind === "unavailable")
        return this.#durable.mode === "required"
          ? UNAVAILABLE
          : { kind: "known", registration: undefined, meta: { ...NO_META, behind: 2 }, version: "absent" };
      // Read again for the version of what was put there, by us or by somebody else.
      if ((await this.#rebuild(key, set)) === "unavailable") return direct(set);
    }
    return UNAVAILABLE;
  }

  async write(
    key: string,
    wanted: Registration | "remove",
    current: Current & { kind: "known" },
  ): Promise<WorkingWrite> {
    const durable = this.#durable;
    const counters = this.#counters;
    const { registration: before, meta, version } = current;
    if (durable.mode === "required" && !durable.answers) {
      counters?.copy("refused");
      return "unavailable";
    }
    const now = this.#clock.now();
    const stamp = Math.max(now * 1000, meta.stamp + 1);
    const after = wanted === "remove" ? undefined : this.#here(wanted);
    const from = this.#site === undefined || before?.site === this.#site.name ? undefined : before?.site;
    const telling = from === undefined ? undefined : this.#site?.tell(from, key, meta.stamp);
    // 1. The calendar: before anything else, so that nothing is registered that nobody will look at again.
    const due = this.#dueFor(after, meta.calendarAt, now);
    const reminding = due === undefined ? Promise.resolve("stored" as const) : durable.remind(key, due);
    let reminded = durable.volatile || (await reminding) === "stored";
    // The site where it was must hear of it: without, the rows go on saying that it is there.
    const told = telling === undefined || (await telling) === "stored";
    // 2. The working copy. Its note about the durable one is written with it while that is known to be away.
    const renewed = after && renewedFor(after, now);
    const next = renewed ?? after;
    // A set's first rows may never be written, should this process end now: then the next change writes all of them. Of two sites
    // each change begins with the rows, which tell.
    const first = before === undefined && after !== undefined && this.#site === undefined;
    const late = !durable.answers || !reminded || !told;
    const behind = meta.behind === 2 ? 2 : late || first ? 1 : 0;
    const calendarAt = reminded ? (due ?? meta.calendarAt) : 0;
    const { removed } = meta;
    const written: WriteMeta = { stamp, calendarAt, behind, ...(removed === undefined ? {} : { removed }) };
    const result =
      version === "direct" ? "unavailable" : await this.#working.putEither(key, next, written, version, now);
    if (result === "contention") return result;
    const alone = result === "unavailable";
    // 3. The durable rows. Without a working copy the head goes along: others may be removing the set at the same time.
    const isUnknown = before !== undefined && meta.stamp === 0;
    const full = isUnknown ? stamp - 1 : meta.behind === 1 ? meta.stamp : undefined;
    const change = { key, before, after: next, stamp, full, renew: alone || renewed !== undefined, now };
    const stored = told && (await durable.write(change)) === "stored";
    reminded = (await reminding) === "stored";
    const kept = stored && reminded;
    if (!alone && renewed !== undefined) {
      const linkTtl = Math.ceil((renewed.aliasesUntil - now) / 1000) + GRACE_SECONDS;
      await this.#working.link(key, linksOf(key, renewed), linkTtl);
    }
    if (alone) return this.#onlyDurable(key, kept);
    this.#comparedLater(key);
    // The other site may have written in the same moment.
    if (this.#site !== undefined && (before === undefined || from !== undefined)) this.#together.ahead(key);
    if (kept && behind === 2 && this.#together.behind(key, { registration: next, meta: written }))
      return "stored";
    if (kept && behind !== 2) return "stored";
    return this.#onlyWorking(key, next, written);
  }

  /** With the name of this site, where there are two. */
  #here(wanted: Registration): Registration {
    const site = this.#site?.name;
    return site === undefined || wanted.site === site ? wanted : { ...wanted, site };
  }

  #onlyDurable(key: string, kept: boolean): WorkingWrite {
    const counters = this.#counters;
    this.#away = true;
    counters?.copy(kept ? "direct" : "refused");
    if (!this.#together.ahead(key)) counters?.copy("dropped");
    return kept ? "stored" : "unavailable";
  }

  /** The durable copy lacks a change: that is remembered here, and noted in the working copy should this process end. */
  async #onlyWorking(
    key: string,
    registration: Registration | undefined,
    meta: WriteMeta,
  ): Promise<WorkingWrite> {
    const counters = this.#counters;
    const noted: WriteMeta = { ...meta, behind: meta.behind === 2 ? 2 : 1 };
    if (!this.#together.behind(key, { registration, meta: noted })) counters?.copy("dropped");
    if (meta.behind === 0) {
      const read = await this.#working.read(key);
      if ((read.kind === "found" || read.kind === "none") && read.meta.stamp === meta.stamp)
        await this.#working.putEither(key, registration, noted, read.version, this.#clock.now());
    }
    counters?.copy(this.#durable.mode === "required" ? "refused" : "deferred");
    return this.#durable.mode === "required" ? "unavailable" : "stored";
  }

  /** When the set has to be in the calendar, unless an entry is known that comes up before: whoever handles that adds the next. */
  #dueFor(after: Registration | undefined, calendarAt: number, now: number): number | undefined {
    const due = after && nextExpiry(after);
    if (due === undefined || (calendarAt > now && calendarAt <= due)) return undefined;
    return due;
  }

  async confirm(key: string): Promise<"stored" | "unavailable"> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const outcome = await this.#together.settle(key, undefined, NO_META);
      if (outcome === "done") return "stored";
      if (outcome === "wait") break;
    }
    if (this.#durable.mode === "required") return "unavailable";
    if (!this.#together.behind(key, { registration: undefined, meta: NO_META }))
      this.#counters?.copy("dropped");
    return "stored";
  }
}

function direct(set: DurableRead): Current {
  switch (set.kind) {
    case "registration": {
      const meta = { stamp: set.stamp, calendarAt: 0, behind: 0 } as const;
      return { kind: "known", registration: set.registration, meta, version: "direct" };
    }
    case "alias":
    case "none": {
      const meta = { stamp: set.stamp, calendarAt: 0, behind: 0 } as const;
      return { kind: "known", registration: undefined, meta, version: "direct" };
    }
    case "newer":
      return NEWER;
    case "unreadable":
      return UNREADABLE;
    case "unavailable":
      return UNAVAILABLE;
  }
}
