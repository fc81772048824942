import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryStore } from "@ims/store";
import type { RegistrationStoreCounters } from "../../src/store/copies.ts";
import { decodeRegistration, encodeRegistration, NO_META } from "../../src/store/registration-codec.ts";
import { RegistrationStore } from "../../src/store/registration-store.ts";
import { ALICE, binding, readProfile, registration, subscription } from "../support/pool.ts";

function bench(
  wrap: (store: KvStore) => KvStore = (store) => store,
  counters?: RegistrationStoreCounters,
): {
  clock: FakeClock;
  kv: KvStore;
  store: RegistrationStore;
  due: [string, number][];
} {
  const clock = fakeClock();
  const kv = memoryStore({ clock });
  const due: [string, number][] = [];
  const store = new RegistrationStore({
    store: wrap(kv),
    clock,
    readProfile,
    onWrite: (impu, at) => due.push([impu, at]),
    ...(counters === undefined ? {} : { counters }),
  });
  return { clock, kv, store, due };
}

test("a registration is written and read back whole", () => {
  const all = registration({
    bindings: [
      binding(),
      binding({ key: "i|1", instance: "i", regId: 1, gruu: true, gruuSince: 5, parameters: ';+sip.x="é"' }),
    ],
  });
  for (const meta of [NO_META, { stamp: 1_767_225_600_000_001, calendarAt: 7, behind: 2 } as const])
    assert.deepEqual(decodeRegistration(encodeRegistration(all, meta), readProfile), {
      kind: "registration",
      registration: all,
      meta,
    });
});

test("subscriptions and the end of a set are written and read back whole", () => {
  const all = registration({ state: "terminated", ended: "probation", subscriptions: [subscription()] });
  assert.deepEqual(decodeRegistration(encodeRegistration(all), readProfile), {
    kind: "registration",
    registration: all,
    meta: NO_META,
  });
});

test("what a release without subscriptions has written is read", () => {
  const text = Buffer.from(encodeRegistration(registration())).toString();
  const [head = "", ...profile] = text.split("\n");
  const older = JSON.parse(head) as { b: unknown[][] };
  older.b = older.b.map((row) => row.slice(0, 14));
  const read = decodeRegistration(Buffer.from([JSON.stringify(older), ...profile].join("\n")), readProfile);
  assert.deepEqual(read, { kind: "registration", registration: registration(), meta: NO_META });
});

test("a terminated set is none, except for who looks after its subscribers", async () => {
  const { store } = bench();
  const ended = registration({ state: "terminated", ended: "expired", subscriptions: [subscription()] });
  await store.update(ALICE, () => ended);
  assert.equal((await store.find(ALICE)).kind, "notFound");
  assert.equal((await store.findWhole(ALICE)).kind, "found");
  assert.deepEqual(await store.update(ALICE, (current) => current ?? "keep"), {
    kind: "unchanged",
    registration: undefined,
  });
  assert.deepEqual(await store.updateWhole(ALICE, () => "remove"), { kind: "removed" });
  assert.equal((await store.findWhole(ALICE)).kind, "notFound");
});

test("what is no registration of ours is unreadable, never a crash", () => {
  for (const text of [
    `{"v":1,"i":"x","s":1,"c":0,"b":[],"w":7}\n${registration().profileXml}`,
    `{"v":1,"i":"x","s":1,"c":0,"b":[],"w":[["a"]]}\n${registration().profileXml}`,
    `{"v":1,"i":"x","s":1,"c":0,"b":[],"w":[${JSON.stringify([...Array(17).keys()])}]}\n${registration().profileXml}`,
    "",
    "{",
    "null",
    '{"v":"2"}',
    '{"v":1,"i":"x","b":[]}',
    '{"v":1,"i":"x","s":1,"c":0,"b":[7]}\n<x/>',
    `{"v":1,"i":"x","s":1,"c":0,"b":[["sip:a"]]}\n${registration().profileXml}`,
    `{"v":1,"i":"x","s":1,"c":"x","b":[]}\n${registration().profileXml}`,
    '{"v":1,"i":"x","b":[]}\n<x/>',
    "[]",
    "7",
  ])
    assert.deepEqual(decodeRegistration(Buffer.from(text), readProfile), { kind: "unreadable" }, text);
});

test("rubbish and what a later release has written are never overwritten, and nobody is routed by them", async () => {
  for (const [kind, text] of [
    ["newer", '{"v":2,"anything":true}\n<x/>'],
    ["newer", '{"v":2,"of":"sip:else@example.com"}'],
    ["unreadable", "\0\0\0"],
    ["unreadable", '{"v":1,"i":"sip:alice@exa'],
  ] as const) {
    const bad: string[] = [];
    const { store, kv } = bench((inner) => inner, { copy: () => {}, bad: (kind) => void bad.push(kind) });
    for (const key of ["sip:alice@example.com", "sip:al@example.com"])
      await kv.put("registration", key, Buffer.from(text), { ifVersion: "absent", ttlSeconds: 60 });
    const refused = kind === "newer" ? { kind: "unavailable", newer: true } : { kind: "unavailable" };
    assert.deepEqual(await store.find("sip:alice@example.com"), refused);
    assert.deepEqual(await store.update("sip:alice@example.com", () => registration()), refused);
    assert.deepEqual(bad, [kind, kind]);
    const found = await kv.get("registration", "sip:alice@example.com");
    assert.equal(found.kind === "found" && Buffer.from(found.value).toString(), text);
  }
});

test("the link of another identity does not overwrite what a later release has written", async () => {
  const { store, kv } = bench();
  const later = Buffer.from('{"v":9}');
  await kv.put("registration", "sip:al@example.com", later, { ifVersion: "absent", ttlSeconds: 60 });
  assert.equal((await store.update("sip:alice@example.com", () => registration())).kind, "stored");
  const found = await kv.get("registration", "sip:al@example.com");
  assert.deepEqual(found.kind === "found" && Buffer.from(found.value), later);
});

test("every identity of a set leads to it, as long as it is registered", async () => {
  const { store, clock, due } = bench();
  await store.update("sip:alice@example.com", () => registration());
  for (const impu of ["sip:alice@example.com", "sip:al@example.com"]) {
    const found = await store.find(impu);
    assert.equal(found.kind === "found" && found.registration.impu, "sip:alice@example.com");
  }
  assert.deepEqual(due, [["sip:alice@example.com", Date.UTC(2026, 0, 1, 1)]]);
  assert.equal((await store.find("sip:other@example.com")).kind, "notFound");
  await clock.advanceAsync(4 * 3600_000);
  assert.equal((await store.find("sip:alice@example.com")).kind, "notFound");
});

test("a change is applied again to what another writer left", async () => {
  let disturb = true;
  const { store, kv } = bench((inner) => ({
    get: (table, key) => inner.get(table, key),
    delete: (table, key, options) => inner.delete(table, key, options),
    async put(table, key, value, options) {
      if (disturb && table === "registration" && options.ifVersion !== "absent") {
        disturb = false;
        const other = registration({ bindings: [binding({ callId: "other" })] });
        await inner.put(table, key, encodeRegistration(other), options);
      }
      return inner.put(table, key, value, options);
    },
  }));
  await store.update("sip:alice@example.com", () => registration());
  const seen: string[] = [];
  const result = await store.update("sip:alice@example.com", (current) => {
    seen.push(current?.bindings[0]?.callId ?? "");
    return registration({ bindings: [...(current?.bindings ?? []), binding({ callId: "mine" })] });
  });
  assert.deepEqual(seen, ["c", "other"]);
  assert.deepEqual(result.kind === "stored" && result.registration.bindings.map(({ callId }) => callId), [
    "other",
    "mine",
  ]);
  assert.equal((await kv.get("registration", "sip:alice@example.com")).kind, "found");
});

test("a store that is away is a value, and endless contention ends", async () => {
  const away = { kind: "unavailable", cause: new Error("gone") } as const;
  const { store } = bench(() => ({ get: async () => away, put: async () => away, delete: async () => away }));
  assert.deepEqual(await store.find("x"), { kind: "unavailable", elsewhere: true });
  assert.deepEqual((await store.update("x", () => registration())).kind, "unavailable");
  const stubborn = bench((inner) => ({
    ...inner,
    get: inner.get.bind(inner),
    delete: inner.delete.bind(inner),
    put: async () => ({ kind: "contention" }),
  }));
  assert.deepEqual((await stubborn.store.update("x", () => registration())).kind, "unavailable");
});

test("names from JavaScript's own objects are names like any other", async () => {
  const { store } = bench();
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert.equal((await store.find(name)).kind, "notFound");
    assert.deepEqual(await store.setsOf(name), [`sip:${name}`]);
  }
});

test("an IMPI leads to its sets", async () => {
  const { store } = bench();
  await store.update("sip:alice@example.com", () =>
    registration({ bindings: [binding({ impi: "001010000000001@ims.example.com" })] }),
  );
  assert.deepEqual(await store.setsOf("001010000000001@ims.example.com"), [
    "sip:alice@example.com",
    "sip:001010000000001@ims.example.com",
  ]);
});
