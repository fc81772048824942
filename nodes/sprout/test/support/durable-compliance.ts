import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { DurableRegistrations, PartitionWrite } from "../../src/store/durable-registrations.ts";

const KEY = "sip:6505550000@example.com";
const bytes = (text: string): Uint8Array => Buffer.from(text);

export interface DurableUnderTest {
  readonly rows: DurableRegistrations;
  /** Lets this much time pass; absent where only a real wait could, and then lifetimes are not checked. */
  advance?(ms: number): void | Promise<void>;
}

/** Microseconds: stamps of today, as Cassandra takes them for its own clock's. */
const T = Date.now() * 1000;

function write(
  stamp: number,
  more: Partial<PartitionWrite> & { put?: Record<string, string> },
): PartitionWrite {
  const { put = {}, ...rest } = more;
  const puts = Object.entries(put).map(([item, value]) => ({ item, value: bytes(value), ttlSeconds: 3600 }));
  return { partition: KEY, stamp: T + stamp, puts, removes: [], clearedTo: undefined, ...rest };
}

/** What every driver of the durable rows must do. `create` gives an empty store and cleans up in t.after. */
export function durableCompliance(
  name: string,
  create: (t: TestContext) => DurableUnderTest | Promise<DurableUnderTest>,
): void {
  const setUp = async (t: TestContext) => {
    const made = await create(t);
    const { rows } = made;
    return {
      ...made,
      async write(...writes: PartitionWrite[]): Promise<void> {
        assert.deepEqual(await rows.write(writes), { kind: "stored" });
      },
      async read(partition = KEY): Promise<Record<string, [string, number]>> {
        const read = await rows.read(partition);
        assert.ok(read.kind === "found");
        const sorted = [...read.rows].sort((a, b) => (a.item < b.item ? -1 : 1));
        return Object.fromEntries(
          sorted.map(({ item, value, stamp }) => [item, [Buffer.from(value).toString(), stamp - T]]),
        );
      },
    };
  };

  describe(`DurableRegistrations: ${name}`, () => {
    test("a partition without rows is empty", async (t) => {
      const { read } = await setUp(t);
      assert.deepEqual(await read(), {});
    });

    test("rows are read as they were written, with their stamp, in their partition only", async (t) => {
      const { write: put, read } = await setUp(t);
      await put(
        write(1, { put: { head: "h", "b\ni\nk": "one" } }),
        write(1, { partition: "impi:i", put: { x: "y" } }),
      );
      await put(write(2, { put: { "b\ni\nk": "two" } }));
      assert.deepEqual(await read(), { "b\ni\nk": ["two", 2], head: ["h", 1] });
      assert.deepEqual(await read("impi:i"), { x: ["y", 1] });
    });

    test("the higher stamp wins in whatever order writes arrive, and the same write may arrive twice", async (t) => {
      const { write: put, read } = await setUp(t);
      const later = write(5, { put: { a: "new" } });
      await put(later);
      await put(write(4, { put: { a: "old", b: "old" } }));
      await put(later);
      assert.deepEqual(await read(), { a: ["new", 5], b: ["old", 4] });
    });

    test("what was removed does not come back with a late write", async (t) => {
      const { write: put, read } = await setUp(t);
      await put(write(1, { put: { a: "one", b: "one" } }));
      await put(write(5, { removes: ["a"] }));
      await put(write(4, { put: { a: "late" } }));
      assert.deepEqual(await read(), { b: ["one", 1] });
      await put(write(6, { put: { a: "again" } }));
      assert.deepEqual(await read(), { a: ["again", 6], b: ["one", 1] });
    });

    test("a removal that is late does not take what was written since", async (t) => {
      const { write: put, read } = await setUp(t);
      await put(write(5, { put: { a: "new" } }));
      await put(write(4, { removes: ["a"] }));
      assert.deepEqual(await read(), { a: ["new", 5] });
    });

    test("clear takes what is older and leaves what comes with it and what is newer", async (t) => {
      const { write: put, read } = await setUp(t);
      await put(write(1, { put: { a: "one", b: "one" } }), write(9, { put: { c: "newer" } }));
      await put(write(5, { put: { b: "five" }, clearedTo: T + 4 }));
      assert.deepEqual(await read(), { b: ["five", 5], c: ["newer", 9] });
      await put(write(8, { put: { d: "eight" }, clearedTo: T + 3 }));
      assert.deepEqual(await read(), { b: ["five", 5], c: ["newer", 9], d: ["eight", 8] });
    });

    test("a large value, any bytes, and names from JavaScript's own objects", async (t) => {
      const { rows } = await setUp(t);
      const value = Uint8Array.from({ length: 60_000 }, (_, i) => i % 256);
      const names = ["__proto__", "constructor", "a'b\"c", "é名", "x".repeat(2000)];
      for (const partition of names) {
        const puts = names.map((item) => ({ item, value, ttlSeconds: 60 }));
        const stored = await rows.write([{ ...write(1, {}), partition, puts }]);
        assert.deepEqual(stored, { kind: "stored" });
      }
      for (const partition of names) {
        const read = await rows.read(partition);
        assert.ok(read.kind === "found");
        assert.deepEqual(new Set(read.rows.map(({ item }) => item)), new Set(names));
        for (const row of read.rows) assert.deepEqual(Buffer.from(row.value), Buffer.from(value));
      }
    });

    test("rows go when their lifetime ends", async (t) => {
      const { write: put, read, advance } = await setUp(t);
      if (advance === undefined) return;
      const puts = [
        { item: "short", value: bytes("s"), ttlSeconds: 10 },
        { item: "long", value: bytes("l"), ttlSeconds: 100 },
      ];
      await put({ ...write(1, {}), puts });
      await advance(11_000);
      assert.deepEqual(await read(), { long: ["l", 1] });
    });

    test("many writes at once all arrive", async (t) => {
      const { write: put, read } = await setUp(t);
      const numbers = Array.from({ length: 300 }, (_, i) => i);
      await Promise.all(numbers.map((i) => put(write(i, { put: { [`n${i}`]: String(i) } }))));
      assert.equal(Object.keys(await read()).length, 300);
    });
  });
}
