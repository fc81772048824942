import { type AuditEntry, type AuditFilter, auditEntrySchema } from "@ims/api";
import { type Clock, nextTurn } from "@ims/runtime";
import type { KvStore } from "@ims/store";
import { z } from "zod";
import { Documents, UNAVAILABLE, type Unavailable } from "../store/documents.ts";

const DAY_MS = 86_400_000;
/** Of a part: well under what a document may have. */
const MAX_BYTES = 48_000;
/** A part takes no more entries after a day, so that none is kept much longer than it is to be. */
const OPEN_MS = DAY_MS;
const ROUNDS = 5;
/** Parts that one page looks at. */
const MAX_LOOKED = 40;

const partSchema = z.object({ entries: z.array(auditEntrySchema) });
const headSchema = z.object({ last: z.number() });

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly next: string | undefined;
}

export interface AuditLogModules {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly keepDays: number;
}

/** What staff did, in numbered parts that entries are added to and that go after a time; nothing changes or removes an entry. */
export class AuditLog {
  readonly #parts: Documents<typeof partSchema>;
  readonly #head: Documents<typeof headSchema>;
  readonly #clock: Clock;
  readonly #keepMs: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ store, clock, keepDays }: AuditLogModules) {
    const ttlSeconds = (keepDays + 1) * (DAY_MS / 1_000);
    this.#parts = new Documents(store, "ellis-audit", partSchema, ttlSeconds);
    this.#head = new Documents(store, "ellis-audit-head", headSchema);
    this.#clock = clock;
    this.#keepMs = keepDays * DAY_MS;
  }

  /** One after the other: entries of one ellis do not contend with each other. */
  append(entry: AuditEntry): Promise<"written" | Unavailable> {
    const done = this.#turn.then(() => this.#append(entry));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** `before`: `next` of a page before. Looks at a bounded part of the log. */
  async page(
    filter: AuditFilter,
    { before, limit }: { readonly before: string | undefined; readonly limit: number },
  ): Promise<AuditPage | "wrongPage" | Unavailable> {
    const start = await this.#start(before);
    if (start === UNAVAILABLE || start === "wrongPage") return start;
    const entries: AuditEntry[] = [];
    const oldest = this.#clock.now() - this.#keepMs;
    let { index } = start;
    for (let part = start.part, looked = 0; part >= 1; part--, looked++) {
      if (looked >= MAX_LOOKED) return { entries, next: `${part}.` };
      // Reading one takes about a millisecond: others get their turn between.
      await nextTurn();
      const document = await this.#parts.get(String(part));
      if (document === UNAVAILABLE) return UNAVAILABLE;
      // The newest one may not have been written yet; other than it only those are missing whose time is over.
      if (document === undefined && (part < start.part || before !== undefined)) break;
      const all = document?.entries ?? [];
      for (let at = Math.min(index, all.length) - 1; at >= 0; at--) {
        const entry = all[at];
        if (entry === undefined || Date.parse(entry.at) < oldest) continue;
        if (isBefore(entry, filter.from)) return { entries, next: undefined };
        if (!matches(entry, filter)) continue;
        if (entries.length >= limit) return { entries, next: `${part}.${at + 1}` };
        entries.push(entry);
      }
      index = Number.MAX_SAFE_INTEGER;
    }
    return { entries, next: undefined };
  }

  async #start(
    before: string | undefined,
  ): Promise<{ readonly part: number; readonly index: number } | "wrongPage" | Unavailable> {
    if (before === undefined) {
      const head = await this.#head.get("head");
      if (head === UNAVAILABLE) return UNAVAILABLE;
      return { part: head?.last ?? 1, index: Number.MAX_SAFE_INTEGER };
    }
    const [, part, index] = /^([0-9]{1,9})\.([0-9]{1,9})?$/.exec(before) ?? [];
    if (part === undefined) return "wrongPage";
    return { part: Number(part), index: index === undefined ? Number.MAX_SAFE_INTEGER : Number(index) };
  }

  async #append(entry: AuditEntry): Promise<"written" | Unavailable> {
    const size = JSON.stringify(entry).length;
    const head = await this.#head.get("head");
    if (head === UNAVAILABLE) return UNAVAILABLE;
    let last: number | Unavailable = head?.last ?? 1;
    for (let round = 0; round < ROUNDS; round++) {
      if (last === UNAVAILABLE) return UNAVAILABLE;
      let isFull = false;
      const result = await this.#parts.change(String(last), (before = { entries: [] }) => {
        const [first] = before.entries;
        isFull =
          first !== undefined &&
          (JSON.stringify(before).length + size > MAX_BYTES ||
            Date.parse(first.at) < this.#clock.now() - OPEN_MS);
        return isFull ? "keep" : { entries: [...before.entries, entry] };
      });
      if (result === UNAVAILABLE) return UNAVAILABLE;
      if (!isFull) return "written";
      last = await this.#after(last);
    }
    return UNAVAILABLE;
  }

  /** The part after that one, or the one that others are at already. */
  async #after(full: number): Promise<number | Unavailable> {
    let last = full + 1;
    const result = await this.#head.change("head", (before = { last: 1 }) => {
      last = Math.max(before.last, full + 1);
      return before.last > full ? "keep" : { last };
    });
    return result === UNAVAILABLE ? UNAVAILABLE : last;
  }
}

function isBefore({ at }: AuditEntry, time: string | undefined): boolean {
  // Members of a pool have clocks of their own: entries of a minute may be in another order.
  return time !== undefined && Date.parse(at) < Date.parse(time) - 60_000;
}

function matches(entry: AuditEntry, { from, until, who, action, target, outcome }: AuditFilter): boolean {
  const at = Date.parse(entry.at);
  return (
    (from === undefined || at >= Date.parse(from)) &&
    (until === undefined || at <= Date.parse(until)) &&
    (who === undefined || who === "" || entry.who === who.toLowerCase()) &&
    (action === undefined || entry.action.startsWith(action)) &&
    (target === undefined || (entry.target ?? "").includes(target)) &&
    (outcome === undefined || entry.outcome === outcome)
  );
}
