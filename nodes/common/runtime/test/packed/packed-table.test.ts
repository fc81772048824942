import assert from "node:assert/strict";
import { test } from "node:test";
import { PackedTable } from "@ims/runtime";
import fc from "fast-check";

const LASTS = { number: 1, expiresAt: 1000 };

test("a value is found by its key until it lapses", () => {
  const table = new PackedTable();
  table.put("a key", "a value", { number: 7, expiresAt: 100 }, 0);
  const entry = table.find("a key", 99);
  assert.ok(entry !== undefined);
  assert.equal(table.textOf(entry), "a value");
  assert.deepEqual(table.octetsOf(entry), Buffer.from("a value"));
  assert.equal(table.numberOf(entry), 7);
  assert.equal(table.find("a kez", 99), undefined);
  assert.equal(table.find("a key", 100), undefined);
  assert.equal(table.size, 0, "it went when it was asked for");
});

test("octets that were given out do not change with the entry", () => {
  const table = new PackedTable();
  table.put("key", Buffer.from("before"), LASTS, 0);
  const octets = table.octetsOf(table.find("key", 0) ?? -1);
  table.put("key", Buffer.from("after."), LASTS, 0);
  assert.equal(octets.toString(), "before");
});

test("keys that look alike as octets are different keys", () => {
  const table = new PackedTable();
  const keys = ["é", "Ã©", "\u00e9\u0000", "\ud800", "\ufffd", "", "\u0000", "ÿé\u0000"];
  for (const [index, key] of keys.entries()) table.put(key, String(index), LASTS, 0);
  assert.deepEqual(
    keys.map((key) => table.textOf(table.find(key, 0) ?? -1)),
    keys.map((_, index) => String(index)),
  );
});

test("values of all sizes, larger than a page too", () => {
  const table = new PackedTable();
  const sizes = [0, 1, 31, 32, 33, 255, 256, 257, 65_535, 262_143, 262_144, 262_145, 1_048_576];
  for (const size of sizes) table.put(`of ${size}`, "x".repeat(size), LASTS, 0);
  for (const size of sizes) assert.equal(table.textOf(table.find(`of ${size}`, 0) ?? -1).length, size);
  for (const size of sizes) table.put(`of ${size}`, "y".repeat(262_200 - (size % 262_200)), LASTS, 0);
  for (const size of sizes)
    assert.equal(table.textOf(table.find(`of ${size}`, 0) ?? -1), "y".repeat(262_200 - (size % 262_200)));
});

test("what has lapsed leaves with the puts of others, and its room is used again", () => {
  const table = new PackedTable();
  for (let round = 0; round < 20; round++)
    for (let index = 0; index < 5_000; index++)
      table.put(`${round} ${index}`, "v".repeat(index % 700), { number: 0, expiresAt: round + 1 }, round);
  assert.ok(table.size < 12_000, `${table.size} entries`);
  assert.ok(table.octets < 2 * 5_000 * 700 * 1.5, `${table.octets} octets`);
});

test("it does what a Map does", () => {
  const key = fc.oneof(fc.constantFrom("a", "b", "c", "é"), fc.string({ unit: "binary", maxLength: 4 }));
  const size = fc.oneof(fc.nat(80), fc.nat(3_000));
  const step = fc.record({
    key,
    size,
    what: fc.constantFrom("put", "put", "put", "delete", "find"),
    for: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new PackedTable();
      const model = new Map<string, { text: string; number: number; expiresAt: number }>();
      for (const [now, { key, size, what, for: lasts }] of steps.entries()) {
        const known = model.get(key);
        const live = known !== undefined && known.expiresAt > now ? known : undefined;
        if (what === "put") {
          const entry = { text: `${now}`.padEnd(size, "."), number: now, expiresAt: now + lasts };
          model.set(key, entry);
          table.put(key, entry.text, entry, now);
        } else if (what === "delete") {
          const deleted = table.delete(key);
          if (live !== undefined) assert.ok(deleted);
          model.delete(key);
        } else {
          const found = table.find(key, now);
          assert.equal(found === undefined ? undefined : table.textOf(found), live?.text);
          assert.equal(found === undefined ? undefined : table.numberOf(found), live?.number);
        }
      }
      const end = steps.length;
      for (const [key, { text, expiresAt }] of model) {
        const found = table.find(key, end);
        assert.equal(
          found === undefined ? undefined : table.textOf(found),
          expiresAt > end ? text : undefined,
        );
      }
    }),
  );
});
