import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  CALENDAR_SHARDS,
  type CalendarEntry,
  type CalendarStore,
  minuteOf,
  shardOf,
} from "../src/calendar-store.ts";

export interface CalendarUnderTest {
  readonly calendar: CalendarStore;
  /** A time the store takes for about now, in milliseconds since the epoch. */
  readonly now: number;
  /** Lets this much time pass; absent where only a real wait could, and then the retention is not checked. */
  advance?(ms: number): void | Promise<void>;
}

const MINUTE = 60_000;
const KEY = "sip:6505550000@example.com";

async function found(calendar: CalendarStore, at: number, key = KEY): Promise<CalendarEntry[]> {
  const result = await calendar.entries(minuteOf(at), shardOf(key));
  assert.equal(result.kind, "found");
  return result.kind === "found" ? result.entries.map(({ key, at }) => ({ key, at })) : [];
}

const byTime = (a: CalendarEntry, b: CalendarEntry): number =>
  a.at - b.at || (a.key < b.key ? -1 : a.key === b.key ? 0 : 1);

/** What every driver of the calendar port must do. `create` gives an empty calendar and cleans up in t.after. */
export function calendarCompliance(
  name: string,
  create: (t: TestContext) => CalendarUnderTest | Promise<CalendarUnderTest>,
): void {
  describe(`CalendarStore: ${name}`, () => {
    test("a minute without entries is empty", async (t) => {
      const { calendar, now } = await create(t);
      assert.deepEqual(await found(calendar, now), []);
    });

    test("adding nothing is stored", async (t) => {
      const { calendar } = await create(t);
      assert.deepEqual(await calendar.add([]), { kind: "stored" });
    });

    test("an entry is found in its minute and its shard only", async (t) => {
      const { calendar, now } = await create(t);
      const at = now + 10 * MINUTE + 123;
      assert.deepEqual(await calendar.add([{ key: KEY, at }]), { kind: "stored" });
      assert.deepEqual(await found(calendar, at), [{ key: KEY, at }]);
      assert.deepEqual(await found(calendar, at - MINUTE), []);
      assert.deepEqual(await found(calendar, at + MINUTE), []);
      const elsewhere = await calendar.entries(minuteOf(at), (shardOf(KEY) + 1) % CALENDAR_SHARDS);
      assert.deepEqual(elsewhere, { kind: "found", entries: [] });
    });

    test("a key may be due several times, in one minute too; the same entry twice is one", async (t) => {
      const { calendar, now } = await create(t);
      const at = minuteOf(now + 10 * MINUTE) * MINUTE;
      const entries = [at, at + 1, at + 59_999, at + MINUTE].map((at) => ({ key: KEY, at }));
      await calendar.add(entries);
      await calendar.add(entries);
      assert.deepEqual((await found(calendar, at)).sort(byTime), entries.slice(0, 3));
      assert.deepEqual(await found(calendar, at + MINUTE), entries.slice(3));
    });

    test("five hundred entries in one call, over all shards, are all found", async (t) => {
      const { calendar, now } = await create(t);
      const at = minuteOf(now + 10 * MINUTE) * MINUTE;
      const entries = Array.from({ length: 500 }, (_, i) => ({
        key: `sip:65055${10_000 + i}@example.com`,
        at: at + i,
      }));
      assert.deepEqual(await calendar.add(entries), { kind: "stored" });
      const all: CalendarEntry[] = [];
      for (let shard = 0; shard < CALENDAR_SHARDS; shard++) {
        const result = await calendar.entries(minuteOf(at), shard);
        assert.equal(result.kind, "found");
        if (result.kind !== "found") continue;
        for (const { key } of result.entries) assert.equal(shardOf(key), shard);
        all.push(...result.entries.map(({ key, at }) => ({ key, at })));
      }
      assert.deepEqual(all.sort(byTime), entries);
    });

    test("__proto__, quotes, spaces, line ends, non-ASCII and the empty key are just keys", async (t) => {
      const { calendar, now } = await create(t);
      const at = now + 10 * MINUTE;
      const keys = ["__proto__", "constructor", "a b", "a\r\nb", `'";--`, "é", "名", "", "x".repeat(1000)];
      assert.deepEqual(await calendar.add(keys.map((key) => ({ key, at }))), { kind: "stored" });
      for (const key of keys) {
        assert.ok((await found(calendar, at, key)).some((entry) => entry.key === key && entry.at === at));
      }
    });

    test("an entry that was due when it was added is kept: somebody who catches up finds it", async (t) => {
      const { calendar, now } = await create(t);
      const at = now - 60 * MINUTE;
      assert.deepEqual(await calendar.add([{ key: KEY, at }]), { kind: "stored" });
      assert.deepEqual(await found(calendar, at), [{ key: KEY, at }]);
    });

    test("an entry is there for a day after it was due and gone after two", async (t) => {
      const { calendar, now, advance } = await create(t);
      if (advance === undefined) return;
      const at = now + 10 * MINUTE;
      await calendar.add([{ key: KEY, at }]);
      await advance(10 * MINUTE + 86_400_000 - MINUTE);
      await calendar.add([{ key: KEY, at: at + 86_400_000 }]);
      assert.deepEqual(await found(calendar, at), [{ key: KEY, at }]);
      await advance(86_400_000 + MINUTE);
      for (let i = 0; i < 100; i++) await calendar.add([{ key: KEY, at: at + 3 * 86_400_000 + i }]);
      assert.deepEqual(await found(calendar, at), []);
    });
  });
}
