import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryStore, type StoreTrouble, watchedStore } from "@ims/store";
import { kvStoreCompliance } from "@ims/store/testing";

const VALUE = new TextEncoder().encode("x");
const PUT = { ifVersion: "absent", ttlSeconds: 60 } as const;

test("a store that is away, breaks or is slow is told of, with the key; one that works is not", async () => {
  const clock = fakeClock();
  const inner = memoryStore({ clock });
  let before = async (): Promise<void> => undefined;
  let away = false;
  const cause = new Error("gone");
  const store: KvStore = {
    get: async (table, key) => {
      await before();
      return away ? { kind: "unavailable", cause } : inner.get(table, key);
    },
    put: async (table, key, value, options) => {
      await before();
      return away ? { kind: "unavailable", cause } : inner.put(table, key, value, options);
    },
    delete: (table, key) => inner.delete(table, key),
  };
  const troubles: StoreTrouble[] = [];
  const watched = watchedStore(store, { clock, slowMs: 100, onTrouble: (one) => troubles.push(one) });
  assert.deepEqual(await watched.put("aor", "sip:alice@example.com", VALUE, PUT), { kind: "stored" });
  assert.equal((await watched.put("aor", "sip:alice@example.com", VALUE, PUT)).kind, "contention");
  assert.equal((await watched.get("aor", "sip:alice@example.com")).kind, "found");
  assert.equal((await watched.delete("aor", "sip:bob@example.com")).kind, "stored");
  assert.deepEqual(troubles, []);
  assert.equal("isSettled" in watched, false);

  before = async () => clock.advance(101);
  assert.equal((await watched.get("aor", "sip:alice@example.com")).kind, "found");
  before = async () => undefined;
  away = true;
  assert.deepEqual(await watched.get("aor", "sip:carol@example.com"), { kind: "unavailable", cause });
  before = () => Promise.reject(cause);
  await assert.rejects(watched.put("aor", "sip:carol@example.com", VALUE, PUT), cause);
  assert.deepEqual(
    troubles.map(({ operation, key, outcome, ms }) => [operation, key, outcome, ms]),
    [
      ["get", "sip:alice@example.com", "found", 101],
      ["get", "sip:carol@example.com", "unavailable", 0],
      ["put", "sip:carol@example.com", "rejected", 0],
    ],
  );
});

kvStoreCompliance("watched memory store", () => {
  const clock = fakeClock();
  const onTrouble = (): void => undefined;
  const store = watchedStore(memoryStore({ clock }), { clock, slowMs: Number.POSITIVE_INFINITY, onTrouble });
  return { store, advance: (ms) => clock.advance(ms) };
});
