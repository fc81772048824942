import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { fallbackStore, type KvStore, memoryStore } from "@ims/store";
import { kvStoreCompliance } from "@ims/store/testing";

const away: KvStore = {
  get: async () => ({ kind: "unavailable", cause: new Error("gone") }),
  put: async () => ({ kind: "unavailable", cause: new Error("gone") }),
  delete: async () => ({ kind: "unavailable", cause: new Error("gone") }),
};

/** A store that can be taken away and brought back. */
function switchable(inner: KvStore): KvStore & { up: boolean } {
  return {
    up: true,
    get(table, key) {
      return (this.up ? inner : away).get(table, key);
    },
    put(table, key, value, options) {
      return (this.up ? inner : away).put(table, key, value, options);
    },
    delete(table, key, options) {
      return (this.up ? inner : away).delete(table, key, options);
    },
  };
}

const absent = { ifVersion: "absent", ttlSeconds: 60 } as const;
const one = Buffer.from("one");
const two = Buffer.from("two");

kvStoreCompliance("fallback, primary there", () => {
  const clock = fakeClock();
  return { store: fallbackStore(memoryStore({ clock }), memoryStore({ clock })), advance: clock.advance };
});

kvStoreCompliance("fallback, primary away", () => {
  const clock = fakeClock();
  return { store: fallbackStore(away, memoryStore({ clock })), advance: clock.advance };
});

test("what was written while the primary was away is found, changed and removed when it is back", async () => {
  const clock = fakeClock();
  const primary = switchable(memoryStore({ clock }));
  const store = fallbackStore(primary, memoryStore({ clock }));
  primary.up = false;
  assert.equal((await store.put("challenge", "a", one, absent)).kind, "stored");
  primary.up = true;
  const read = await store.get("challenge", "a");
  assert.ok(read.kind === "found");
  const put = { ifVersion: read.version, ttlSeconds: 60 };
  assert.equal((await store.put("challenge", "a", two, put)).kind, "stored");
  assert.equal((await store.put("challenge", "a", two, put)).kind, "contention");
  const again = await store.get("challenge", "a");
  assert.ok(again.kind === "found");
  assert.equal(Buffer.from(again.value).toString(), "two");
  assert.equal((await store.delete("challenge", "a")).kind, "stored");
  assert.equal((await store.get("challenge", "a")).kind, "notFound");
});

test("an entry read before the primary went away is written to the secondary, once", async () => {
  const clock = fakeClock();
  const primary = switchable(memoryStore({ clock }));
  const store = fallbackStore(primary, memoryStore({ clock }));
  await store.put("challenge", "a", one, absent);
  const read = await store.get("challenge", "a");
  assert.ok(read.kind === "found");
  primary.up = false;
  const put = { ifVersion: read.version, ttlSeconds: 60 };
  assert.equal((await store.put("challenge", "a", two, put)).kind, "stored");
  assert.equal((await store.put("challenge", "a", two, put)).kind, "contention");
});

/** Members that see different servers of the primary, and the secondary together. */
function members(isSettled: () => boolean) {
  const clock = fakeClock();
  const secondary = switchable(memoryStore({ clock }));
  const member = (): KvStore =>
    fallbackStore(Object.assign(memoryStore({ clock }), { isSettled }), secondary);
  return { secondary, one: member(), other: member() };
}

test("while servers of the primary come back, every member finds what another one has put, and only one uses it", async () => {
  const { one: first, other } = members(() => false);
  assert.equal((await first.put("challenge", "a", one, absent)).kind, "stored");
  assert.equal((await first.put("challenge", "a", one, absent)).kind, "contention");
  const reads = await Promise.all([first, other].map((member) => member.get("challenge", "a")));
  const uses = await Promise.all(
    [first, other].map((member, index) => {
      const read = reads[index];
      assert.ok(read?.kind === "found");
      return member.put("challenge", "a", two, { ifVersion: read.version, ttlSeconds: 60 });
    }),
  );
  assert.deepEqual(uses.map(({ kind }) => kind).sort(), ["contention", "stored"]);
});

test("servers that are coming back are better than a secondary that is away; settled ones are not passed by", async () => {
  const unsettled = members(() => false);
  unsettled.secondary.up = false;
  assert.equal((await unsettled.one.put("challenge", "a", one, absent)).kind, "stored");
  assert.equal((await unsettled.one.get("challenge", "a")).kind, "found");
  const settled = members(() => true);
  assert.equal((await settled.one.put("challenge", "a", one, absent)).kind, "stored");
  assert.equal((await settled.secondary.get("challenge", "a")).kind, "notFound");
});

test("both away is unavailable", async () => {
  const store = fallbackStore(away, away);
  assert.equal((await store.get("a", "b")).kind, "unavailable");
  assert.equal((await store.put("a", "b", one, absent)).kind, "unavailable");
  assert.equal((await store.delete("a", "b")).kind, "unavailable");
});
