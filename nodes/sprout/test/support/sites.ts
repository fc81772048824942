import type { TestContext } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryCalendar, memoryStore } from "@ims/store";
import type { SproutParts } from "../../src/sprout.ts";
import type { DurableRegistrations, PartitionWrite } from "../../src/store/durable-registrations.ts";
import { type Moved, type MovedSets, slotOf } from "../../src/store/moved-sets.ts";
import { RegistrationStore } from "../../src/store/registration-store.ts";
import { SqliteRegistrations } from "../../src/store/sqlite-registrations.ts";
import { readProfile } from "./pool.ts";

const NAMES = ["a", "b"] as const;
export type SiteName = (typeof NAMES)[number];
const away = { kind: "unavailable", cause: new Error("cut off") } as const;

/** What one site has of its own, and how it sees what both have. */
export interface Site {
  readonly name: SiteName;
  /** Its memcached; another one after a restart. */
  kv: KvStore;
  /** The same, whichever it is. */
  readonly store: KvStore;
  readonly durable: NonNullable<SproutParts["durable"]>;
  /** Reads of rows, by scope. */
  readonly reads: string[];
  /** A sprout there. */
  sprout(): RegistrationStore;
  /** Its memcached is killed and started again. */
  forget(): void;
}

/**
 * Two sites on one store with a copy at each, as Cassandra over two data centres has it: a write is acknowledged by the copy of its
 * site and reaches the other one, at once or as a hint when that is back. A read of both sees all that was acknowledged.
 */
export class Sites {
  readonly clock = fakeClock();
  /** The sites reach each other. */
  connected = true;
  /** Hints are delivered; otherwise they wait, also while the sites are connected. */
  delivering = true;
  readonly #rows = new Map<SiteName, SqliteRegistrations>();
  readonly #all: SqliteRegistrations;
  readonly #moved = new Map<SiteName, { of: string; moved: Moved }[]>();
  readonly #hints: { to: SiteName; apply: () => unknown }[] = [];
  readonly #sprouts: RegistrationStore[] = [];
  readonly a: Site;
  readonly b: Site;

  constructor(t: TestContext) {
    const { clock } = this;
    for (const name of NAMES) {
      this.#rows.set(name, new SqliteRegistrations({ path: ":memory:", clock }));
      this.#moved.set(name, []);
    }
    this.#all = new SqliteRegistrations({ path: ":memory:", clock });
    const calendar = memoryCalendar({ clock });
    [this.a, this.b] = [this.#site("a", calendar), this.#site("b", calendar)];
    t.after(() => {
      for (const sprout of this.#sprouts) sprout.stop();
      return Promise.all([...this.#rows.values(), this.#all].map((rows) => rows.close()));
    });
  }

  /** The sites see each other again. */
  connect({ delivering = true } = {}): void {
    this.connected = true;
    this.delivering = delivering;
    if (delivering) for (const { apply } of this.#hints.splice(0)) apply();
  }

  #reach(to: SiteName, apply: () => unknown): void {
    if (this.connected && this.delivering) apply();
    else this.#hints.push({ to, apply });
  }

  #site(name: SiteName, calendar: NonNullable<SproutParts["durable"]>["calendar"]): Site {
    const other = name === "a" ? "b" : "a";
    const of = <T>(map: ReadonlyMap<SiteName, T>, site: SiteName): T => {
      const found = map.get(site);
      if (found === undefined) throw new Error(site);
      return found;
    };
    const reads: string[] = [];
    const rows: DurableRegistrations = {
      read: async (partition, scope = "here") => {
        reads.push(scope);
        if (scope === "both") return this.connected ? this.#all.read(partition) : away;
        return of(this.#rows, name).read(partition);
      },
      write: async (writes: readonly PartitionWrite[]) => {
        await this.#all.write(writes);
        this.#reach(other, () => of(this.#rows, other).write(writes));
        return of(this.#rows, name).write(writes);
      },
    };
    const moved: MovedSets = {
      add: async (to, one) => {
        of(this.#moved, name).push({ of: to, moved: one });
        this.#reach(other, () => of(this.#moved, other).push({ of: to, moved: one }));
        return { kind: "stored" };
      },
      read: async (site, slot, since, scope) => {
        if (scope === "both" && !this.connected) return away;
        const told = [...of(this.#moved, name), ...(scope === "both" ? of(this.#moved, other) : [])];
        const found = told.filter(
          (one) => one.of === site && slotOf(one.moved.at) === slot && one.moved.at > since,
        );
        return { kind: "found", moved: found.map((one) => one.moved) };
      },
    };
    const { clock } = this;
    const persistent = memoryStore({ clock });
    const site: Site = {
      name,
      kv: memoryStore({ clock }),
      reads,
      durable: {
        rows,
        calendar,
        writes: "preferred",
        leases: persistent,
        cursors: persistent,
        site: { name, moved },
      },
      store: {
        get: (...args) => site.kv.get(...args),
        put: (...args) => site.kv.put(...args),
        delete: (...args) => site.kv.delete(...args),
      },
      sprout: () => {
        const sprout = new RegistrationStore({
          store: site.store,
          clock,
          readProfile,
          durable: site.durable,
        });
        sprout.start();
        this.#sprouts.push(sprout);
        return sprout;
      },
      forget: () => {
        site.kv = memoryStore({ clock });
      },
    };
    return site;
  }
}
