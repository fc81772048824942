import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type KvStore, MAX_VALUE_BYTES, type Version } from "../src/kv-store.ts";
import { update } from "../src/update.ts";

export interface StoreUnderTest {
  readonly store: KvStore;
  /** Lets this much time pass for the store: a fake clock where it takes one, a wait where it does not. */
  advance(ms: number): void | Promise<void>;
}

const TABLE = "aor";
const KEY = "sip:6505550000@example.com";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const absent = { ifVersion: "absent", ttlSeconds: 60 } as const;

async function read(store: KvStore, key = KEY, table = TABLE): Promise<{ value: Buffer; version: Version }> {
  const result = await store.get(table, key);
  assert.equal(result.kind, "found");
  if (result.kind !== "found") throw new Error("unreachable");
  return { value: Buffer.from(result.value), version: result.version };
}

/** What every driver of the store port must do. `create` gives an empty store and cleans up in t.after. */
export function kvStoreCompliance(
  name: string,
  create: (t: TestContext) => StoreUnderTest | Promise<StoreUnderTest>,
): void {
  describe(`KvStore: ${name}`, () => {
    test("an absent key is not found", async (t) => {
      const { store } = await create(t);
      assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
    });

    test("a value put where none was is found again", async (t) => {
      const { store } = await create(t);
      assert.deepEqual(await store.put(TABLE, KEY, bytes("one"), absent), { kind: "stored" });
      assert.equal((await read(store)).value.toString(), "one");
    });

    test("a put of an absent key loses against an existing one", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      assert.deepEqual(await store.put(TABLE, KEY, bytes("two"), absent), { kind: "contention" });
      assert.equal((await read(store)).value.toString(), "one");
    });

    test("a put under the version read is stored and changes the version", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      const { version } = await read(store);
      const put = await store.put(TABLE, KEY, bytes("two"), { ifVersion: version, ttlSeconds: 60 });
      assert.deepEqual(put, { kind: "stored" });
      const after = await read(store);
      assert.equal(after.value.toString(), "two");
      assert.notEqual(after.version, version);
    });

    test("a put under a version overtaken is contention and changes nothing", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      const { version } = await read(store);
      await store.put(TABLE, KEY, bytes("two"), { ifVersion: version, ttlSeconds: 60 });
      const late = await store.put(TABLE, KEY, bytes("three"), { ifVersion: version, ttlSeconds: 60 });
      assert.deepEqual(late, { kind: "contention" });
      assert.equal((await read(store)).value.toString(), "two");
    });

    test("a version of a deleted entry is not valid for its successor", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      const { version } = await read(store);
      await store.delete(TABLE, KEY);
      const gone = await store.put(TABLE, KEY, bytes("two"), { ifVersion: version, ttlSeconds: 60 });
      assert.deepEqual(gone, { kind: "contention" });
      await store.put(TABLE, KEY, bytes("one"), absent);
      const put = await store.put(TABLE, KEY, bytes("two"), { ifVersion: version, ttlSeconds: 60 });
      assert.deepEqual(put, { kind: "contention" });
    });

    test("delete without a version is unconditional and repeatable", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      assert.deepEqual(await store.delete(TABLE, KEY), { kind: "stored" });
      assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
      assert.deepEqual(await store.delete(TABLE, KEY), { kind: "stored" });
    });

    test("delete with a version spares what was written since", async (t) => {
      const { store } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), absent);
      const first = await read(store);
      await store.put(TABLE, KEY, bytes("two"), { ifVersion: first.version, ttlSeconds: 60 });
      assert.deepEqual(await store.delete(TABLE, KEY, { ifVersion: first.version }), { kind: "contention" });
      const second = await read(store);
      assert.deepEqual(await store.delete(TABLE, KEY, { ifVersion: second.version }), { kind: "stored" });
      assert.deepEqual(await store.delete(TABLE, KEY, { ifVersion: second.version }), { kind: "contention" });
    });

    // Lifetimes are long beside what a busy machine may hold up a read.
    test("an entry is there until its lifetime ends and gone afterwards", async (t) => {
      const { store, advance } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), { ifVersion: "absent", ttlSeconds: 6 });
      const { version } = await read(store);
      await advance(1000);
      await read(store);
      await advance(7000);
      assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
      const late = await store.put(TABLE, KEY, bytes("two"), { ifVersion: version, ttlSeconds: 60 });
      assert.deepEqual(late, { kind: "contention" });
      assert.deepEqual(await store.delete(TABLE, KEY, { ifVersion: version }), { kind: "contention" });
      assert.deepEqual(await store.put(TABLE, KEY, bytes("two"), absent), { kind: "stored" });
    });

    test("each put starts a new lifetime, shorter or longer", async (t) => {
      const { store, advance } = await create(t);
      await store.put(TABLE, KEY, bytes("one"), { ifVersion: "absent", ttlSeconds: 5 });
      const first = await read(store);
      await store.put(TABLE, KEY, bytes("two"), { ifVersion: first.version, ttlSeconds: 14 });
      await advance(7000);
      const second = await read(store);
      await store.put(TABLE, KEY, bytes("three"), { ifVersion: second.version, ttlSeconds: 1 });
      await advance(3000);
      assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
    });

    test("a hundred concurrent increments lose none", async (t) => {
      const { store } = await create(t);
      const increment = () =>
        update(
          store,
          TABLE,
          KEY,
          (current) => ({
            kind: "put",
            value: bytes(String(Number(Buffer.from(current ?? []).toString() || "0") + 1)),
            ttlSeconds: 60,
          }),
          { attempts: 1000 },
        );
      const results = await Promise.all(Array.from({ length: 100 }, increment));
      assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(["stored"]));
      assert.equal((await read(store)).value.toString(), "100");
    });

    test("values are bytes: all 256, the empty value, the largest one", async (t) => {
      const { store } = await create(t);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const largest = new Uint8Array(MAX_VALUE_BYTES).fill(0xff);
      for (const [key, value] of [
        ["all", all],
        ["empty", new Uint8Array()],
        ["largest", largest],
      ] as const) {
        assert.deepEqual(await store.put(TABLE, key, value, absent), { kind: "stored" });
        assert.deepEqual((await read(store, key)).value, Buffer.from(value));
      }
    });

    test("a value over 64 KiB breaks the contract and is not stored", async (t) => {
      const { store } = await create(t);
      await assert.rejects(store.put(TABLE, KEY, new Uint8Array(MAX_VALUE_BYTES + 1), absent), {
        detail: {
          code: "STORE_VALUE_TOO_LARGE",
          table: TABLE,
          bytes: MAX_VALUE_BYTES + 1,
          maxBytes: MAX_VALUE_BYTES,
        },
      });
      assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
    });

    test("a lifetime that is not positive and finite breaks the contract", async (t) => {
      const { store } = await create(t);
      for (const ttlSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(store.put(TABLE, KEY, bytes("one"), { ifVersion: "absent", ttlSeconds }), {
          detail: { code: "STORE_BAD_TTL", table: TABLE, ttlSeconds },
        });
      }
    });

    test("neither the writer's nor a reader's array is the store's", async (t) => {
      const { store } = await create(t);
      const value = bytes("one");
      await store.put(TABLE, KEY, value, absent);
      value.fill(0);
      const first = await store.get(TABLE, KEY);
      if (first.kind === "found") first.value.fill(0);
      assert.equal((await read(store)).value.toString(), "one");
    });

    test("tables do not mix, however table and key are cut", async (t) => {
      const { store } = await create(t);
      await store.put("a", "bc", bytes("one"), absent);
      await store.put("ab", "c", bytes("two"), absent);
      assert.equal((await read(store, "bc", "a")).value.toString(), "one");
      assert.equal((await read(store, "c", "ab")).value.toString(), "two");
      await store.delete("a", "bc");
      assert.deepEqual(await store.get("a", "bc"), { kind: "notFound" });
      assert.equal((await read(store, "c", "ab")).value.toString(), "two");
    });

    test("__proto__, quotes, spaces, line ends and non-ASCII are just keys", async (t) => {
      const { store } = await create(t);
      const keys = [
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "a b",
        "a\r\nb",
        `'";--`,
        "é",
        "名",
        "",
        "x".repeat(1000),
      ];
      for (const key of keys) assert.deepEqual(await store.get(TABLE, key), { kind: "notFound" });
      for (const key of keys) await store.put(TABLE, key, bytes(`value of ${key}`), absent);
      for (const key of keys) assert.equal((await read(store, key)).value.toString(), `value of ${key}`);
      await store.put("__proto__", "__proto__", bytes("one"), absent);
      assert.equal((await read(store, "__proto__", "__proto__")).value.toString(), "one");
    });
  });
}
