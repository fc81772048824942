import assert from "node:assert/strict";
import { test } from "node:test";
import { isInRange, nextSqn, sqnBytes, sqnOf } from "../../src/aka/sequence-number.ts";

test("TS 33.102 §C.3.2: SEQ counts up by one, IND goes round the array of 32", () => {
  let sqn = 31;
  const indices = new Set<number>();
  for (let i = 1; i <= 32; i++) {
    const next = nextSqn(sqn) ?? 0;
    assert.equal(Math.floor(next / 32), Math.floor(sqn / 32) + 1);
    indices.add(next % 32);
    sqn = next;
  }
  assert.equal(indices.size, 32);
});

test("TS 33.102 §6.3.7: a counter that is used up gives no more vectors", () => {
  assert.equal(nextSqn(2 ** 48 - 1), undefined);
  assert.equal(nextSqn(2 ** 48 - 33), 2 ** 48 - 32);
});

test("TS 33.102 §C.2.1: a counter behind the USIM, or too far ahead of it, is out of range", () => {
  assert.equal(isInRange(3200, 3200), true);
  assert.equal(isInRange(6400, 3200), true);
  assert.equal(isInRange(3168, 3200), false);
  assert.equal(isInRange(2 ** 40, 3200), false);
});

test("TS 33.102 §6.3.2: SQN is 48 bits on the wire", () => {
  assert.equal(Buffer.from(sqnBytes(0xff9bb4d0b607)).toString("hex"), "ff9bb4d0b607");
  assert.equal(sqnOf(Buffer.from("ff9bb4d0b607", "hex")), 0xff9bb4d0b607);
});
