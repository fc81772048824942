import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf, placeSeed } from "../../src/memcached/placement.ts";
import { wireKey } from "../../src/memcached/wire-key.ts";

const place = (id: string) => ({ id, seed: placeSeed(id) });
const places = (count: number) => Array.from({ length: count }, (_, i) => place(`127.0.4.${1 + i}:11211`));
const keys = Array.from({ length: 10_000 }, (_, i) => `r/aor/sip:650555${i}@example.com`);

test("each key has two different replicas, each server its share as first and as second", () => {
  const first = new Map<string, number>();
  const second = new Map<string, number>();
  for (const key of keys) {
    const [one, two, ...more] = chainOf({ current: places(4) }, key, 2);
    assert.ok(one && two && one.id !== two.id && more.length === 0);
    first.set(one.id, (first.get(one.id) ?? 0) + 1);
    second.set(two.id, (second.get(two.id) ?? 0) + 1);
  }
  for (const counts of [first, second])
    for (const [id, count] of counts) assert.ok(Math.abs(count - 2_500) < 200, `${id} has ${count}`);
});

test("a fifth server takes a fifth of the places and nothing else moves", () => {
  let moved = 0;
  for (const key of keys) {
    const before = chainOf({ current: places(4) }, key, 2).map(({ id }) => id);
    const after = chainOf({ current: places(5) }, key, 2).map(({ id }) => id);
    const left = after.filter((id) => !before.includes(id));
    assert.ok(left.length <= 1 && left.every((id) => id === "127.0.4.5:11211"));
    moved += left.length;
  }
  assert.ok(Math.abs(moved - 4_000) < 250, `${moved} of 20,000 copies moved`);
});

test("old and new replicas stand in one order, in which the old and the new view see theirs", () => {
  const all = places(5);
  const current = all.slice(0, 3);
  const next = all.slice(2);
  for (const key of keys.slice(0, 2_000)) {
    const both = chainOf({ current, next }, key, 2).map(({ id }) => id);
    for (const view of [current, next]) {
      const alone = chainOf({ current: view }, key, 2).map(({ id }) => id);
      assert.deepEqual(
        both.filter((id) => alone.includes(id)),
        alone,
      );
    }
    assert.equal(new Set(both).size, both.length);
  }
});

test("fewer servers than replicas: all of them", () => {
  assert.equal(chainOf({ current: places(1) }, "r/a/b", 2).length, 1);
});

test("keys on the wire are printable, at most 250 bytes, and never shared", () => {
  const names: [string, string][] = [
    ["aor", "sip:a@example.com"],
    ["a", "b/c"],
    ["a/b", "c"],
    ["a", "b c"],
    ["a b", "c"],
    ["a", "bc"],
    ["ab", "c"],
    ["a", "\ud800"],
    ["a", "\ud801"],
    ["a", "\ufffd"],
    ["", ""],
    ["", "a"],
    ["a", ""],
    ["aor", "x".repeat(244)],
    ["aor", "x".repeat(245)],
    ["aor", "x".repeat(10_000)],
    ["__proto__", "constructor"],
  ];
  const wire = names.map(([table, key]) => wireKey(table, key).key);
  assert.equal(new Set(wire).size, wire.length);
  for (const key of wire) assert.match(key, /^[\x21-\x7e]{1,250}$/);
  assert.equal(wire[0], "r/aor/sip:a@example.com");
});
