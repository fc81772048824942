import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryStore, update } from "@ims/store";

const one = Buffer.from("1");
const put = { kind: "put", value: one, ttlSeconds: 60 } as const;

test("put, keep and delete are told apart in the outcome", async () => {
  const store = memoryStore({ clock: fakeClock() });
  assert.deepEqual(await update(store, "t", "k", () => ({ kind: "keep" })), { kind: "kept" });
  assert.deepEqual(await update(store, "t", "k", () => ({ kind: "delete" })), { kind: "kept" });
  assert.deepEqual(await update(store, "t", "k", () => put), { kind: "stored", value: one });
  assert.deepEqual(await update(store, "t", "k", () => ({ kind: "delete" })), { kind: "deleted" });
  assert.deepEqual(await store.get("t", "k"), { kind: "notFound" });
});

test("a change overtaken is decided again on the new value", async () => {
  const store = memoryStore({ clock: fakeClock() });
  const seen: (string | undefined)[] = [];
  let interfered = false;
  const result = await update(store, "t", "k", (current) => {
    seen.push(current && Buffer.from(current).toString());
    if (!interfered) {
      interfered = true;
      void store.put("t", "k", Buffer.from("theirs"), { ifVersion: "absent", ttlSeconds: 60 });
    }
    return put;
  });
  assert.deepEqual(seen, [undefined, "theirs"]);
  assert.equal(result.kind, "stored");
});

test("endless contention ends after the attempts allowed", async () => {
  const store = memoryStore({ clock: fakeClock() });
  const contended: KvStore = {
    get: (table, key) => store.get(table, key),
    put: async () => ({ kind: "contention" }),
    delete: async () => ({ kind: "contention" }),
  };
  assert.deepEqual(await update(contended, "t", "k", () => put, { attempts: 3 }), {
    kind: "contention",
    attempts: 3,
  });
});

test("a store that cannot be reached ends it at once, on reading and on writing", async () => {
  const store = memoryStore({ clock: fakeClock() });
  const cause = new Error("gone");
  const down = { kind: "unavailable", cause } as const;
  const noRead: KvStore = { get: async () => down, put: async () => down, delete: async () => down };
  assert.deepEqual(await update(noRead, "t", "k", () => put), down);
  assert.deepEqual(await update({ ...noRead, get: (t, k) => store.get(t, k) }, "t", "k", () => put), down);
});
