import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { CALENDAR_SHARDS, type KvStore, memoryStore } from "@ims/store";
import { ownerOf, ShardLeases } from "../../src/scscf/shard-leases.ts";

const all = Array.from({ length: CALENDAR_SHARDS }, (_, shard) => shard);
const sorted = (shards: readonly number[]): number[] => [...shards].sort((a, b) => a - b);

function pool(
  names: readonly string[],
  clock: FakeClock = fakeClock(),
  store: KvStore = memoryStore({ clock }),
) {
  const members = names.map((member) => new ShardLeases({ store, clock, member }));
  return { clock, store, members };
}

async function run(clock: FakeClock, seconds: number): Promise<void> {
  for (let s = 0; s < seconds; s++) await clock.advanceAsync(1_000);
}

/** No shard has two holders. */
function assertDisjoint(members: readonly ShardLeases[]): void {
  const held = members.flatMap((member) => member.held());
  assert.equal(new Set(held).size, held.length);
}

test("a single member holds every shard at once, and keeps them", async () => {
  const { clock, members } = pool(["a"]);
  const [a] = members;
  assert.ok(a);
  a.start();
  await clock.advanceAsync(0);
  assert.deepEqual(sorted(a.held()), all);
  for (let s = 0; s < 120; s++) {
    await clock.advanceAsync(1_000);
    assert.equal(a.held().length, CALENDAR_SHARDS);
  }
  await a.stop();
});

test("members share the shards, those that come get theirs, and never do two hold one", async () => {
  const { clock, members } = pool(["a", "b", "c"]);
  for (const member of members) {
    member.start();
    for (let s = 0; s < 45; s++) {
      await clock.advanceAsync(1_000);
      assertDisjoint(members);
    }
  }
  assert.deepEqual(sorted(members.flatMap((member) => member.held())), all);
  for (const member of members) assert.ok(member.held().length > 10, `${member.held().length}`);
  for (const member of members) await member.stop();
});

test("what a member held that was killed is taken over when its leases have run out", async () => {
  const clock = fakeClock();
  const inner = memoryStore({ clock });
  let alive = true;
  const mortal = <T>(operation: () => Promise<T>): Promise<T> =>
    alive ? operation() : new Promise<T>(() => undefined);
  const store: KvStore = {
    get: (...args) => mortal(() => inner.get(...args)),
    put: (...args) => mortal(() => inner.put(...args)),
    delete: (...args) => mortal(() => inner.delete(...args)),
  };
  const a = new ShardLeases({ store, clock, member: "a" });
  const b = new ShardLeases({ store: inner, clock, member: "b" });
  a.start();
  b.start();
  await run(clock, 45);
  const before = sorted(b.held());
  assert.ok(a.held().length > 0 && before.length > 0);
  alive = false;
  await run(clock, 11);
  assert.deepEqual(sorted(b.held()), before);
  await run(clock, 50);
  assert.deepEqual(sorted(b.held()), all);
  assert.deepEqual(a.held(), []);
  await b.stop();
});

test("what a member held that ended in order is taken over in the next round", async () => {
  const { clock, members } = pool(["a", "b"]);
  const [a, b] = members;
  assert.ok(a && b);
  a.start();
  b.start();
  await run(clock, 45);
  assert.ok(a.held().length > 0);
  await a.stop();
  await run(clock, 11);
  assert.deepEqual(sorted(b.held()), all);
  await b.stop();
});

test("a member that is cut off stops before another may begin", async () => {
  const clock = fakeClock();
  const inner = memoryStore({ clock });
  let up = true;
  const away = async () => ({ kind: "unavailable", cause: new Error("gone") }) as const;
  const cut: KvStore = {
    get: (...args) => (up ? inner.get(...args) : away()),
    put: (...args) => (up ? inner.put(...args) : away()),
    delete: (...args) => (up ? inner.delete(...args) : away()),
  };
  const a = new ShardLeases({ store: cut, clock, member: "a" });
  const b = new ShardLeases({ store: inner, clock, member: "b" });
  a.start();
  b.start();
  await run(clock, 45);
  up = false;
  for (let s = 0; s < 90; s++) {
    await clock.advanceAsync(1_000);
    assertDisjoint([a, b]);
  }
  assert.equal(b.held().length, CALENDAR_SHARDS);
  up = true;
  await run(clock, 60);
  assertDisjoint([a, b]);
  assert.ok(a.held().length > 0);
  assert.deepEqual(sorted([...a.held(), ...b.held()]), all);
  await a.stop();
  await b.stop();
});

test("a store that is away at the start is tried again", async () => {
  const clock = fakeClock();
  const inner = memoryStore({ clock });
  let up = false;
  const away = async () => ({ kind: "unavailable", cause: new Error("gone") }) as const;
  const a = new ShardLeases({
    store: {
      get: (...args) => (up ? inner.get(...args) : away()),
      put: (...args) => (up ? inner.put(...args) : away()),
      delete: (...args) => (up ? inner.delete(...args) : away()),
    },
    clock,
    member: "a",
  });
  a.start();
  await run(clock, 15);
  assert.deepEqual(a.held(), []);
  up = true;
  await run(clock, 15);
  assert.equal(a.held().length, CALENDAR_SHARDS);
  await a.stop();
});

test("a member that comes moves only what it draws", () => {
  const before = all.map((shard) => ownerOf(shard, ["a", "b", "c"]));
  const after = all.map((shard) => ownerOf(shard, ["c", "d", "a", "b"]));
  for (const shard of all)
    assert.ok(after[shard] === before[shard] || after[shard] === "d", `shard ${shard}`);
  assert.ok(after.includes("d"));
});
