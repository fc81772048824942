import assert from "node:assert/strict";
import { test } from "node:test";
import { dropOldest, oldestKeys } from "@ims/runtime";

test("the oldest go, a 64th at once and one at least; what was put in again is not old", () => {
  const map = new Map(Array.from({ length: 128 }, (_, n) => [n, n]));
  map.delete(0);
  map.set(0, 0);
  assert.deepEqual(oldestKeys(map, 128), [1, 2]);
  dropOldest(map, 128);
  assert.deepEqual([map.size, ...oldestKeys(map, 10)], [126, 3]);
  const empty = new Map<string, number>();
  dropOldest(empty, 10);
  assert.equal(empty.size, 0);
});

test("a full map costs each new entry the same, however large it is", () => {
  // Steps of the iterator, not time: `keys()` of a map that counts what is asked of it.
  class Counting extends Map<number, number> {
    asked = 0;
    override *keys(): MapIterator<number> {
      for (const key of super.keys()) {
        this.asked++;
        yield key;
      }
    }
  }
  const limit = 6_400;
  const map = new Counting();
  let looks = 0;
  for (let n = 0; n < 64_000; n++) {
    if (map.size >= limit) {
      dropOldest(map, limit);
      looks++;
    }
    map.set(n, n);
    assert.ok(map.size <= limit);
  }
  assert.equal(looks, (64_000 - limit) / 100);
  assert.equal(map.asked, 64_000 - limit);
});
