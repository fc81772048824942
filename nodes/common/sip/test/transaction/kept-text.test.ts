import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptText } from "../../src/transaction/kept-text.ts";

test("text is kept as it was, whatever is kept and released beside it", () => {
  const kept = new Map<KeptText, string>();
  let seed = 1;
  const random = (below: number): number => {
    seed = Math.imul(seed, 48_271) >>> 1;
    return seed % below;
  };
  for (let step = 0; step < 20_000; step++) {
    const text = `${step} `.repeat(1 + random(300));
    kept.set(new KeptText(text), text);
    for (const [old] of kept) {
      if (kept.size < 500 && random(3) > 0) break;
      old.release();
      kept.delete(old);
      if (random(2) === 0) break;
    }
    if (step % 1_000 === 0) for (const [one, was] of kept) assert.equal(one.toString(), was);
  }
  for (const [one, was] of kept) assert.equal(one.toString(), was);
});

test("what was released is empty, and released once", () => {
  const [one, other] = [new KeptText("one"), new KeptText("other")];
  one.release();
  one.release();
  assert.deepEqual([one.toString(), other.toString()], ["", "other"]);
});

test("text longer than a chunk is kept whole", () => {
  const long = "x".repeat(1_000_000);
  const kept = new KeptText(long);
  const next = new KeptText("next");
  assert.deepEqual([kept.toString() === long, next.toString()], [true, "next"]);
  kept.release();
  assert.equal(next.toString(), "next");
});

test("memory outside the heap does not grow with what passes through", () => {
  const before = process.memoryUsage().arrayBuffers;
  const kept: KeptText[] = [];
  for (let step = 0; step < 300_000; step++) {
    kept.push(new KeptText("x".repeat(1_000)));
    if (kept.length > 2_000) kept.shift()?.release();
  }
  // 300 MB have passed, 2 MB are kept.
  assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000);
});
