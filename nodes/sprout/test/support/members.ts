import type { TestContext } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type CalendarStore, type KvStore, memoryCalendar, memoryStore } from "@ims/store";
import type { SproutParts } from "../../src/sprout.ts";
import type { DurableWrites } from "../../src/store/durable-copy.ts";
import type { DurableRegistrations } from "../../src/store/durable-registrations.ts";
import { SqliteRegistrations } from "../../src/store/sqlite-registrations.ts";
import { Bench, type BenchOptions } from "./bench.ts";
import { FakeCx } from "./fake-cx.ts";

/** One member's way to what it shares with others: it can be made to die at any operation. */
export class Lifeline {
  /** Operations begun, by name. */
  readonly operations: string[] = [];
  /** Further operations never return: the process was killed there. */
  livesFor = Number.POSITIVE_INFINITY;

  step<T>(name: string, operation: () => Promise<T>): Promise<T> {
    if (this.operations.length >= this.livesFor) return new Promise(() => undefined);
    this.operations.push(name);
    return operation();
  }

  kv(name: string, inner: () => KvStore): KvStore {
    return {
      get: (...args) => this.step(`${name} get ${args[0]}`, () => inner().get(...args)),
      put: (...args) => this.step(`${name} put ${args[0]}`, () => inner().put(...args)),
      delete: (...args) => this.step(`${name} delete ${args[0]}`, () => inner().delete(...args)),
    };
  }
}

/** Several sprouts on one HSS and one set of stores. */
export class Members {
  readonly clock = fakeClock();
  readonly cx = new FakeCx();
  kv: KvStore;
  readonly rows: DurableRegistrations;
  readonly calendar: CalendarStore;
  readonly persistent: KvStore;
  readonly #writes: DurableWrites;
  readonly #running: Bench[] = [];

  constructor(t: TestContext, writes: DurableWrites = "preferred") {
    const { clock } = this;
    this.kv = memoryStore({ clock });
    this.persistent = memoryStore({ clock });
    this.calendar = memoryCalendar({ clock });
    const rows = new SqliteRegistrations({ path: ":memory:", clock });
    this.rows = rows;
    this.#writes = writes;
    t.after(() => {
      // Those that were killed never come to the end of it.
      for (const { entities } of this.#running) void entities.stop();
      return rows.close();
    });
  }

  /** Every memcached is killed and started again. */
  forget(): void {
    this.kv = memoryStore({ clock: this.clock });
  }

  /** A member whose every operation is on the lifeline. */
  start(options: BenchOptions = {}, life = new Lifeline()): Bench & { readonly life: Lifeline } {
    const { cx, rows, calendar } = this;
    const persistent = life.kv("durable", () => this.persistent);
    const durable: SproutParts["durable"] = {
      writes: this.#writes,
      rows: {
        read: (partition) => life.step("read rows", () => rows.read(partition)),
        write: (writes) => life.step("write rows", () => rows.write(writes)),
      },
      calendar: {
        add: (entries) => life.step("add to calendar", () => calendar.add(entries)),
        entries: (minute, shard) => life.step("read calendar", () => calendar.entries(minute, shard)),
      },
      leases: persistent,
      cursors: persistent,
    };
    const store = life.kv("working", () => this.kv);
    const guarded = Object.assign(Object.create(cx) as FakeCx, {
      userAuthorization: (q: Parameters<FakeCx["userAuthorization"]>[0]) =>
        life.step("UAR", () => cx.userAuthorization(q)),
      multimediaAuth: (q: Parameters<FakeCx["multimediaAuth"]>[0]) =>
        life.step("MAR", () => cx.multimediaAuth(q)),
      serverAssignment: (q: Parameters<FakeCx["serverAssignment"]>[0]) =>
        life.step("SAR", () => cx.serverAssignment(q)),
      locationInfo: (q: Parameters<FakeCx["locationInfo"]>[0]) => life.step("LIR", () => cx.locationInfo(q)),
    });
    const bench = new Bench({ ...options, shared: { clock: this.clock, cx: guarded, store, durable } });
    this.#running.push(bench);
    return Object.assign(bench, { life });
  }

  /** Kills a member: nothing of it happens any more. */
  kill(bench: { readonly life: Lifeline; readonly entities: Bench["entities"] }): void {
    bench.life.livesFor = 0;
    this.#running.splice(this.#running.indexOf(bench as unknown as Bench), 1);
    // Its timers would go on; what they start never returns.
    void bench.entities.stop();
  }
}
