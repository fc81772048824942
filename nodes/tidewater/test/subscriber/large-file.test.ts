import assert from "node:assert/strict";
import { test } from "node:test";
import { SeenIdentities } from "../../src/subscriber/seen-identities.ts";
import { WrongRows } from "../../src/subscriber/wrong-rows.ts";

const MANY = 150_000;

test("identities of a large file are told apart, each with its first row, in some 30 octets", () => {
  const seen = new SeenIdentities();
  const before = process.memoryUsage().arrayBuffers;
  for (let row = 2; row < MANY; row++) {
    assert.equal(seen.rowOf(`sip:user${row}@example.com`), undefined);
    seen.add(`sip:user${row}@example.com`, row);
  }
  for (let row = 2; row < MANY; row++) assert.equal(seen.rowOf(`sip:user${row}@example.com`), row);
  seen.add("sip:user7@example.com", MANY);
  assert.equal(seen.rowOf("sip:user7@example.com"), 7);
  assert.equal(seen.rowOf("sip:user1@example.com"), undefined);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < MANY * 64, `${grown} octets`);
});

test("of a large file in which every row is wrong all are counted, each once, and the first thousand are told by row", () => {
  const wrong = new WrongRows();
  for (const pass of [1, 2])
    for (let row = MANY + 1; row >= 2; row--) {
      wrong.add({ row, impi: "x", error: "wrong" });
      if (pass === 1) assert.equal(wrong.count, MANY + 2 - row);
    }
  assert.equal(wrong.count, MANY);
  assert.deepEqual(
    wrong.told.map(({ row }) => row),
    Array.from({ length: 1_000 }, (_, at) => MANY - 998 + at),
  );
});
