import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryStore } from "@ims/store";
import { NumberPool } from "../../src/numbers/number-pool.ts";
import type { NumberRange } from "../../src/numbers/number-range.ts";

const range = (first: string, count: number, pstn = false): NumberRange => ({ first, count, pstn });
const none = new Set<string>();

function poolOf(
  ranges: readonly NumberRange[],
  isKept: (owner: string, number: string) => boolean = () => true,
  clock: FakeClock = fakeClock(),
  store: KvStore = memoryStore({ clock }),
): NumberPool {
  return new NumberPool(ranges, { store, clock }, async (owner, number) => isKept(owner, number));
}

test("every number of every range is given once, to one of many who ask at a time", async () => {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  const ranges = [range("5550150", 170), range("0995", 7)];
  const pools = Array.from({ length: 4 }, () => poolOf(ranges, () => true, clock, store));
  const given: string[] = [];
  await Promise.all(
    pools.map(async (pool, index) => {
      for (;;) {
        const taken = await pool.take(`user${index}`, { pstn: false, not: none });
        if (taken === "unavailable") continue; // lost ten rounds to the others
        if (taken === "none") return;
        given.push(taken.number);
      }
    }),
  );
  assert.equal(given.length, 177);
  assert.equal(new Set(given).size, 177);
  assert.ok(given.includes("5550150") && given.includes("5550319") && given.includes("1001"));
});

test("numbers for the PSTN are those of their own ranges", async () => {
  const pool = poolOf([range("100", 50), range("+16505550000", 1, true)]);
  assert.deepEqual(await pool.take("alice", { pstn: true, not: none }), { number: "+16505550000" });
  assert.equal(await pool.take("alice", { pstn: true, not: none }), "none");
});

test("a number is given back by its owner alone, and given again", async () => {
  const pool = poolOf([range("100", 1)]);
  await pool.take("alice", { pstn: false, not: none });
  await pool.release("mallory", "100");
  assert.equal(await pool.take("bob", { pstn: false, not: none }), "none");
  await pool.release("alice", "100");
  assert.deepEqual(await pool.take("bob", { pstn: false, not: none }), { number: "100" });
});

test("a certain number is taken once, and so is a name or a number outside the ranges", async () => {
  const pool = poolOf([range("100", 10)]);
  assert.equal(await pool.claim("alice", "105"), "taken");
  assert.equal(await pool.claim("bob", "105"), "inUse");
  for (const other of ["alice", "99", "+4930123"]) {
    assert.equal(await pool.claim("alice", other), "taken");
    assert.equal(await pool.claim("bob", other), "inUse");
    assert.equal(await pool.release("alice", other), "released");
    assert.equal(await pool.claim("bob", other), "taken");
  }
});

test("what was tried in vain is not given, and what an ellis took before it died is found when nothing else is free", async () => {
  const clock = fakeClock();
  const pool = poolOf([range("100", 3)], (owner) => owner === "alice", clock);
  await pool.claim("alice", "100");
  await pool.claim("dead", "101");
  assert.equal(await pool.take("bob", { pstn: false, not: new Set(["102"]) }), "none");
  clock.advance(700_000);
  assert.deepEqual(await pool.take("bob", { pstn: false, not: new Set(["102"]) }), { number: "101" });
});

test("ranges are added and removed; none may share a number with another", async () => {
  const pool = poolOf([range("100", 10)]);
  assert.equal(await pool.addRange(range("109", 2)), "overlaps");
  assert.equal(await pool.addRange(range("200", 2)), "added");
  assert.equal(await pool.addRange(range("201", 2)), "overlaps");
  assert.deepEqual(await pool.ranges(), [range("100", 10), range("200", 2)]);
  assert.equal(await pool.removeRange("100"), "configured");
  assert.equal(await pool.removeRange("200"), "removed");
  assert.equal(await pool.removeRange("200"), "unknown");
});
