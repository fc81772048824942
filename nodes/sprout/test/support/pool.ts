import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  type CalendarStore,
  type KvStore,
  type MemoryCalendar,
  memoryCalendar,
  memoryStore,
} from "@ims/store";
import { profileReader } from "../../src/profile/profile-reader.ts";
import type { DurableWrites } from "../../src/store/durable-copy.ts";
import type { DurableRegistrations } from "../../src/store/durable-registrations.ts";
import type { Binding, Registration } from "../../src/store/registration.ts";
import { RegistrationStore } from "../../src/store/registration-store.ts";
import { SqliteRegistrations } from "../../src/store/sqlite-registrations.ts";
import type { Subscription } from "../../src/store/subscription.ts";
import { profileXml } from "./fake-cx.ts";

export const ALICE = "sip:alice@example.com";
export const ALIAS = "sip:al@example.com";

export const readProfile = profileReader(10);

export function binding(more: Partial<Binding> = {}): Binding {
  return {
    contact: "sip:alice@192.0.2.1",
    key: "sip:alice@192.0.2.1",
    impi: "alice@example.com",
    callId: "c",
    cseq: 7,
    expiresAt: Date.UTC(2026, 0, 1, 1),
    refreshedAt: Date.UTC(2026, 0, 1),
    q: 500,
    path: ["<sip:token@127.0.0.1:5058;lr>"],
    instance: "",
    regId: 0,
    parameters: ";q=0.5",
    gruu: false,
    gruuSince: 0,
    gruuCseq: 7,
    registered: ALICE,
    ...more,
  };
}

/** A binding with a key of its own. */
export function at(key: string, more: Partial<Binding> = {}): Binding {
  return binding({ key, contact: `sip:alice@${key}`, ...more });
}

export function registration(more: Partial<Registration> = {}): Registration {
  const xml = profileXml({ impi: "alice@example.com", impus: [ALICE, ALIAS] });
  const profile = readProfile(xml);
  assert.ok(profile);
  return {
    impu: ALICE,
    state: "registered",
    bindings: [binding()],
    charging: { ecf: ["aaa://e"], ccf: [] },
    profileXml: xml,
    profile,
    aliasesUntil: 0,
    heldUntil: 0,
    subscriptions: [],
    ...more,
  };
}

export function subscription(more: Partial<Subscription> = {}): Subscription {
  return {
    callId: "c",
    localTag: "ours",
    remoteTag: "theirs",
    local: `<${ALICE}>`,
    remote: `<${ALICE}>`,
    target: "sip:alice@192.0.2.1",
    routes: ["<sip:mark@127.0.0.1:5058;lr>"],
    subscriber: ALICE,
    kind: "user",
    eventId: "",
    icid: "abc",
    remoteCseq: 1,
    cseq: 2,
    version: 1,
    expiresAt: Date.UTC(2026, 0, 1, 2),
    due: 0,
    failures: 0,
    ...more,
  };
}

const gone = new Error("gone");
const away = async () => ({ kind: "unavailable", cause: gone }) as const;

/** One member of the pool: its way to the stores can break, and it can die at any operation. */
export class Member {
  readonly store: RegistrationStore;
  readonly counted: string[] = [];
  /** Operations begun, by name. */
  readonly operations: string[] = [];
  /** Operations after which the process is dead: further ones never return. */
  livesFor = Number.POSITIVE_INFINITY;
  /** Only this member does not reach the working copy. */
  cutOff = false;
  /** The working copy as only this member sees it. */
  sees: KvStore | undefined;
  /** Its writes reach the working copy, and no answer reaches it: the servers were stopped and went on later. */
  unheard = false;
  /** Its servers have just come back, so far as this member knows. */
  unsettled = false;

  constructor(pool: Pool, { writes, clock }: { writes: DurableWrites; clock: FakeClock }) {
    const step = <T>(name: string, up: () => boolean, operation: () => Promise<T>): Promise<T> => {
      if (this.operations.length >= this.livesFor) return new Promise(() => {});
      this.operations.push(name);
      return up() ? operation() : (away() as Promise<T>);
    };
    const working = () => pool.workingUp && !this.cutOff;
    const durable = () => pool.durableUp;
    const kv = () => this.sees ?? pool.kv;
    this.store = new RegistrationStore({
      store: {
        get: (table, key) => step(`get ${table}`, working, () => kv().get(table, key)),
        put: (table, key, value, options) =>
          step(`put ${table}`, working, async () => {
            const result = await kv().put(table, key, value, options);
            return this.unheard ? away() : result;
          }),
        delete: (table, key, options) =>
          step(`delete ${table}`, working, () => kv().delete(table, key, options)),
        isSettled: () => !this.unsettled,
      },
      clock,
      readProfile,
      counters: {
        copy: (outcome) => void this.counted.push(outcome),
        bad: (kind) => void this.counted.push(kind),
      },
      durable: {
        writes,
        rows: {
          read: (partition) => step("read rows", durable, () => pool.rows.read(partition)),
          write: (rows) => step("write rows", durable, () => pool.rows.write(rows)),
        },
        calendar: {
          add: (entries) => step("add to calendar", durable, () => pool.calendar.add(entries)),
          entries: (minute, shard) =>
            step("read calendar", durable, () => pool.calendar.entries(minute, shard)),
        } satisfies CalendarStore,
      },
    });
  }

  /** Keys of the bindings found, in order; undefined when that cannot be said. */
  async bindings(impu = ALICE): Promise<readonly string[] | undefined> {
    const found = await this.store.find(impu);
    if (found.kind === "unavailable") return undefined;
    return found.kind === "found" ? found.registration.bindings.map(({ key }) => key).sort() : [];
  }

  /** Registers a binding as the registrar would; the outcome. */
  async bind(one: Binding): Promise<string> {
    const result = await this.store.update(ALICE, (current) => {
      const others = (current?.bindings ?? []).filter(({ key }) => key !== one.key);
      return registration({
        ...(current === undefined ? {} : { aliasesUntil: current.aliasesUntil }),
        bindings: [...others, one],
      });
    });
    return result.kind;
  }

  async unbind(unwanted: string): Promise<string> {
    const result = await this.store.update(ALICE, (current) => {
      if (current === undefined) return "keep";
      const left = current.bindings.filter(({ key }) => key !== unwanted);
      return left.length === 0 ? "remove" : { ...current, bindings: left };
    });
    return result.kind;
  }
}

/** Stores that can be taken away, emptied and brought back, and members that work on them. */
export class Pool {
  readonly clock = fakeClock();
  readonly rows: DurableRegistrations;
  readonly calendar: MemoryCalendar;
  kv: KvStore;
  workingUp = true;
  durableUp = true;
  readonly #members: Member[] = [];
  readonly #writes: DurableWrites;

  constructor(t: TestContext, writes: DurableWrites = "preferred") {
    const rows = new SqliteRegistrations({ path: ":memory:", clock: this.clock });
    this.rows = rows;
    this.calendar = memoryCalendar({ clock: this.clock });
    this.kv = memoryStore({ clock: this.clock });
    this.#writes = writes;
    t.after(() => {
      for (const { store } of this.#members) store.stop();
      return rows.close();
    });
  }

  member(clock: FakeClock = this.clock): Member {
    const member = new Member(this, { writes: this.#writes, clock });
    this.#members.push(member);
    return member;
  }

  /** Every memcached is killed and started again. */
  forget(): void {
    this.kv = memoryStore({ clock: this.clock });
  }
}

/** A clock that is off by so much. */
export function shifted(clock: FakeClock, ms: number): FakeClock {
  return { ...clock, now: () => clock.now() + ms };
}

/** Lets everything that can go on go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
