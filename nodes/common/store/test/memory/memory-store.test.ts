import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { memoryStore } from "@ims/store";
import { kvStoreCompliance } from "@ims/store/testing";

kvStoreCompliance("memory", () => {
  const clock = fakeClock();
  return { store: memoryStore({ clock }), advance: clock.advance };
});

test("expired entries that nobody asks for leave with the puts of others", async () => {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  const value = new Uint8Array(10);
  for (let i = 0; i < 1000; i++)
    await store.put("nonce", `old-${i}`, value, { ifVersion: "absent", ttlSeconds: 40 });
  clock.advance(41_000);
  for (let i = 0; i < 600; i++)
    await store.put("nonce", `new-${i}`, value, { ifVersion: "absent", ttlSeconds: 40 });
  assert.ok(store.size < 660, `${store.size} entries`);
});
