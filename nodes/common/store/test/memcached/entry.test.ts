import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeEntry, type Entry, encodeEntry } from "../../src/memcached/entry.ts";
import { descent, laterWins } from "../../src/memcached/precedence.ts";

const KEY = "r/aor/a";
const uint48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyText = fc.string({ unit: "binary", maxLength: 40 });
const anyEntry: fc.Arbitrary<Entry> = fc.record({
  born: uint48,
  count: uint32,
  stamp: uint48,
  ancestors: fc.array(uint48, { maxLength: 4 }),
  grace: uint32,
  tombstone: fc.boolean(),
  name: fc.option(
    fc.tuple(anyText, anyText).map(([table, key]) => ({ table, key })),
    { nil: undefined },
  ),
  value: fc.uint8Array({ maxLength: 200 }),
});

const plain = (entry: Entry) => ({ ...entry, value: Buffer.from(entry.value) });

test("entries come back as they were stored", () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const decoded = decodeEntry(KEY, encodeEntry(KEY, entry));
      assert.equal(decoded.kind, "entry");
      if (decoded.kind === "entry") assert.deepEqual(plain(decoded.entry), plain(entry));
    }),
  );
});

test("a spoiled, shortened or misplaced entry is rubbish", () => {
  fc.assert(
    fc.property(anyEntry, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, at, by) => {
      const bytes = encodeEntry(KEY, entry);
      assert.equal(decodeEntry("r/aor/b", bytes).kind, "rubbish");
      assert.equal(decodeEntry(KEY, bytes.subarray(0, at % bytes.length)).kind, "rubbish");
      const spoiled = Buffer.from(bytes);
      const place = at % bytes.length;
      spoiled[place] = (spoiled[place] ?? 0) ^ by;
      assert.equal(decodeEntry(KEY, spoiled).kind, "rubbish");
    }),
  );
});

const write = (born: number, count: number, stamp: number, ancestors: number[] = []) => ({
  born,
  count,
  stamp,
  ancestors,
});

test("of two copies the one further on wins, at the same step the one further down the chain", () => {
  assert.equal(laterWins(write(1, 5, 50), write(1, 4, 40)), false);
  assert.equal(laterWins(write(1, 4, 40), write(1, 5, 50)), true);
  assert.equal(laterWins(write(1, 5, 50), write(1, 5, 51)), true);
});

test("of two lines of writes the one begun later wins, but for a race of first writes", () => {
  const minute = 60_000;
  assert.equal(laterWins(write(minute, 5, 50), write(0, 900, 40)), false);
  assert.equal(laterWins(write(0, 900, 40), write(minute, 5, 50)), true);
  assert.equal(laterWins(write(1_000, 0, 50), write(0, 0, 40)), true);
  assert.equal(laterWins(write(minute, 0, 50), write(0, 7, 40)), false);
});

test("what was found in the place of a write tells whether the write was overtaken or lost", () => {
  const own = write(1, 5, 50, [40, 30]);
  assert.equal(descent(own, own), "same");
  assert.equal(descent(write(1, 6, 60, [50, 40]), own), "descendant");
  assert.equal(descent(write(1, 8, 80, [70, 60, 50, 40]), own), "descendant");
  assert.equal(descent(write(1, 5, 51, [40, 30]), own), "unrelated");
  assert.equal(descent(write(1, 6, 61, [51, 40]), own), "unrelated");
  assert.equal(descent(write(1, 10, 99, [98, 97, 96, 95]), own), "unknown");
  assert.equal(descent(write(1, 4, 40, [30]), own), "older");
  assert.equal(descent(write(2, 9, 70), own), "unrelated");
});
