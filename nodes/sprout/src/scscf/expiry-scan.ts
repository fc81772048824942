import type { Clock, Timer } from "@ims/runtime";
import {
  CALENDAR_RETENTION_SECONDS,
  type CalendarEntry,
  type CalendarStore,
  type KvStore,
  minuteOf,
  shardOf,
  update,
} from "@ims/store";
import { type ExpiryCalendar, ExpiryWheel } from "./expiry.ts";
import { LapsePump } from "./lapse-pump.ts";
import type { ShardLeases } from "./shard-leases.ts";

const TABLE = "calendar";
const TICK_MS = 250;
/** Pages of the calendar read in a tick by this process: 256 a second, so all shards of a minute in its first quarter second. */
const READS_PER_TICK = 64;
/** A minute is read a last time when it has been over for so many: by then every writer's entry is there, whatever its clock. */
const SETTLE_MINUTES = 2;
const REST_MS = 1_000;
const SAVE_MS = 60_000;
/** What entries are kept for, and to spare. */
const LONGEST_MINUTES = CALENDAR_RETENTION_SECONDS / 60 + 5;
const CURSOR_SECONDS = 30 * 86_400;
/** A lapse that comes sooner than this is also kept in mind here, for the page of its minute may have been read. */
const SOON_MS = 180_000;

export interface ExpiryScanModules {
  readonly calendar: CalendarStore;
  /** Where it is kept how far each shard has come. */
  readonly cursors: KvStore;
  readonly leases: Pick<ShardLeases, "held" | "holds">;
  readonly clock: Clock;
  /** Handles what is due; returns when to come back. A rejection is taken as "in a while". */
  readonly onDue: (impu: string) => Promise<number | undefined>;
  /** Sets looked at in a second. Default 500. */
  readonly perSecond?: number;
}

interface Shard {
  loaded: boolean;
  /** Every minute before it is done. */
  cursor: number;
  saved: number;
  savedAt: number;
  /** Next minute to be read for the last time. */
  next: number;
  /** Last minute read when it began. */
  opened: number;
  reading: boolean;
  /** After a failed read, monotonic. */
  restUntil: number;
  /** Sets still to be handled, by minute that was read for the last time. */
  readonly open: Map<number, number>;
  /** Sets handled after the first reading of a minute. */
  readonly handled: Map<number, Set<string>>;
}

/**
 * The expiry calendar of the pool: reads the minutes of the shards that this member holds and looks at every set named
 * there. Each minute is read when it begins, so that lapses are handled to the second, and again when all writers are
 * done with it. Behind the last minute of which nothing is left a cursor stands in the store: whoever takes the shard over, also
 * after everything was down, goes on from there. An entry is done when its set is handled or named at a later time.
 */
export class ExpiryScan implements ExpiryCalendar {
  readonly #modules: ExpiryScanModules;
  readonly #wheel: ExpiryWheel;
  readonly #pump: LapsePump;
  readonly #shards = new Map<number, Shard>();
  #timer: Timer | undefined;
  #turn = 0;
  #stopped = false;

  constructor(modules: ExpiryScanModules) {
    this.#modules = modules;
    const { clock, perSecond = 500 } = modules;
    this.#pump = new LapsePump({ clock, perSecond, handle: (key) => this.#handle(key) });
    this.#wheel = new ExpiryWheel({
      clock,
      onDue: (key) => {
        this.#pump.add(key, () => this.#handledEarly(key));
        return Promise.resolve(undefined);
      },
    });
  }

  /** Sets this process has in mind. */
  get size(): number {
    return this.#wheel.size + this.#pump.size;
  }

  /** Minutes that the slowest shard is behind; 0 or 1 when all is well. */
  get lag(): number {
    const expected = minuteOf(this.#modules.clock.now()) - SETTLE_MINUTES;
    let lag = 0;
    for (const { cursor } of this.#shards.values()) if (cursor > 0) lag = Math.max(lag, expected - cursor);
    return lag;
  }

  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = this.#modules.clock.setTimer(TICK_MS, () => {
      this.#timer = undefined;
      this.#tick();
      this.start();
    });
  }

  /** The store has the entry already; this is for what comes before the next reading. */
  schedule(impu: string, at: number): void {
    this.#wheel.schedule(impu, at);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#wheel.stop();
    this.#pump.stop();
  }

  #tick(): void {
    const { leases, clock } = this.#modules;
    const held = leases.held();
    for (const number of this.#shards.keys()) if (!leases.holds(number)) this.#shards.delete(number);
    const minute = minuteOf(clock.now());
    let reads = READS_PER_TICK;
    // What begins now comes before what is to be caught up.
    for (const pass of ["first", "last"] as const)
      for (let i = 0; i < held.length && reads > 0; i++) {
        const number = held[(i + this.#turn) % held.length] ?? 0;
        const shard = this.#shards.get(number);
        if (shard === undefined || (!shard.loaded && clock.monotonic() >= shard.restUntil)) {
          this.#shards.set(number, newShard());
          void this.#load(number, minute);
          reads--;
        } else if (
          pass === "first" ? this.#readFirst(number, shard, minute) : this.#readLast(number, shard, minute)
        )
          reads--;
      }
    this.#turn++;
    for (const [number, shard] of this.#shards) this.#advance(number, shard);
  }

  /** How far the shard has come; without a cursor, entries may be there for as long as they are kept. */
  async #load(number: number, minute: number): Promise<void> {
    const found = await this.#modules.cursors.get(TABLE, cursorKey(number));
    const began = found.kind === "notFound" ? await this.#began(minute) : 0;
    const shard = this.#shards.get(number);
    if (shard === undefined) return;
    if (found.kind === "unavailable" || began === undefined) {
      // Loaded again in a while.
      shard.restUntil = this.#modules.clock.monotonic() + REST_MS;
      shard.loaded = false;
      return;
    }
    const earliest = Math.max(began, minute - LONGEST_MINUTES);
    const stored = found.kind === "found" ? Number(Buffer.from(found.value).toString()) : earliest;
    shard.cursor = Number.isSafeInteger(stored) ? Math.max(earliest, Math.min(stored, minute)) : earliest;
    shard.saved = shard.cursor;
    shard.next = shard.cursor;
    shard.opened = Math.max(shard.cursor - 1, minute - SETTLE_MINUTES - 1);
    shard.reading = false;
  }

  /** The minute in which the first of all members began; nothing was due before. Undefined when the store is away. */
  async #began(minute: number): Promise<number | undefined> {
    const now = Buffer.from(String(minute - SETTLE_MINUTES));
    const began = await update(this.#modules.cursors, TABLE, "began", (current) =>
      current === undefined ? { kind: "put", value: now, ttlSeconds: CURSOR_SECONDS } : { kind: "keep" },
    );
    if (began.kind === "unavailable" || began.kind === "contention") return undefined;
    const found = await this.#modules.cursors.get(TABLE, "began");
    const stored = found.kind === "found" ? Number(Buffer.from(found.value).toString()) : 0;
    return Number.isSafeInteger(stored) ? stored : 0;
  }

  #mayRead({ reading, restUntil }: Shard): boolean {
    return !reading && this.#modules.clock.monotonic() >= restUntil;
  }

  /** True when a page is read. */
  #readFirst(number: number, shard: Shard, minute: number): boolean {
    if (!this.#mayRead(shard) || shard.opened >= minute) return false;
    const opening = shard.opened + 1;
    void this.#read(number, shard, opening, (entries) => {
      shard.opened = opening;
      for (const { key, at } of entries) this.#wheel.schedule(key, at);
    });
    return true;
  }

  #readLast(number: number, shard: Shard, minute: number): boolean {
    if (!this.#mayRead(shard) || shard.next >= minute - SETTLE_MINUTES) return false;
    const closing = shard.next;
    void this.#read(number, shard, closing, (entries) => {
      shard.next = closing + 1;
      const handled = shard.handled.get(closing);
      shard.handled.delete(closing);
      const keys = new Set<string>();
      for (const { key } of entries) if (handled?.has(key) !== true) keys.add(key);
      if (keys.size === 0) return;
      shard.open.set(closing, keys.size);
      for (const key of keys)
        this.#pump.add(key, () => {
          const left = (shard.open.get(closing) ?? 1) - 1;
          if (left === 0) shard.open.delete(closing);
          else shard.open.set(closing, left);
        });
    });
    return true;
  }

  async #read(
    number: number,
    shard: Shard,
    minute: number,
    use: (entries: readonly CalendarEntry[]) => void,
  ): Promise<void> {
    shard.reading = true;
    const read = await this.#modules.calendar.entries(minute, number);
    shard.reading = false;
    if (read.kind === "unavailable") shard.restUntil = this.#modules.clock.monotonic() + REST_MS;
    else if (this.#shards.get(number) === shard && !this.#stopped) use(read.entries);
  }

  /** True when nothing of the entry is left to do. */
  async #handle(key: string): Promise<boolean> {
    const { leases, clock, onDue, calendar } = this.#modules;
    const number = shardOf(key);
    // Somebody else's by now, who reads the page again.
    if (!leases.holds(number)) return true;
    for (const handled of this.#shards.get(number)?.handled.values() ?? []) handled.delete(key);
    const again = await onDue(key);
    if (again === undefined) return true;
    // Named at the later time before it is done here. What is soon may stand on a page that has been read already.
    const at = Math.max(Math.ceil(again), clock.now());
    if ((await calendar.add([{ key, at }])).kind === "unavailable") return false;
    if (at - clock.now() < SOON_MS) this.#wheel.schedule(key, at);
    return true;
  }

  /** Handled at its time: the last reading of the minutes that may name it need not look again. */
  #handledEarly(key: string): void {
    const shard = this.#shards.get(shardOf(key));
    if (shard === undefined) return;
    for (let minute = Math.max(shard.next, shard.opened - SETTLE_MINUTES); minute <= shard.opened; minute++) {
      const handled = shard.handled.get(minute);
      if (handled === undefined) shard.handled.set(minute, new Set([key]));
      else handled.add(key);
    }
  }

  #advance(number: number, shard: Shard): void {
    let cursor = shard.next;
    for (const minute of shard.open.keys()) if (minute < cursor) cursor = minute;
    if (shard.reading && shard.cursor === 0) return;
    shard.cursor = Math.max(shard.cursor, cursor);
    if (shard.cursor === shard.saved) return;
    const now = this.#modules.clock.monotonic();
    if (now - shard.savedAt < SAVE_MS) return;
    shard.savedAt = now;
    shard.saved = shard.cursor;
    void this.#save(number, shard.cursor);
  }

  /** Never backwards: a member that lost the shard without knowing may be slower. */
  async #save(number: number, cursor: number): Promise<void> {
    await update(this.#modules.cursors, TABLE, cursorKey(number), (current) => {
      const stored = current === undefined ? 0 : Number(Buffer.from(current).toString());
      if (stored >= cursor) return { kind: "keep" };
      return { kind: "put", value: Buffer.from(String(cursor)), ttlSeconds: CURSOR_SECONDS };
    });
  }
}

function newShard(): Shard {
  return {
    loaded: true,
    cursor: 0,
    saved: 0,
    savedAt: Number.NEGATIVE_INFINITY,
    next: 0,
    opened: 0,
    reading: true,
    restUntil: Number.NEGATIVE_INFINITY,
    open: new Map(),
    handled: new Map(),
  };
}

function cursorKey(shard: number): string {
  return `cursor ${shard}`;
}
