import assert from "node:assert/strict";
import { test } from "node:test";
import { exceeds, readShare, smallestPool } from "../../src/placement/share.ts";

test("a share is read from a fraction, a decimal or a percentage, in lowest terms", () => {
  for (const text of ["1/4", " 2 / 8", "0.25", ".25", "25%", "25.0 %"])
    assert.deepEqual(readShare(text), { kind: "share", share: { numerator: 1, denominator: 4 } }, text);
  assert.deepEqual(readShare("33.33%"), { kind: "share", share: { numerator: 3333, denominator: 10_000 } });
  assert.deepEqual(readShare("1"), { kind: "share", share: { numerator: 1, denominator: 1 } });
});

test("what is no share is refused with the form it must have", () => {
  for (const text of [
    "",
    ".",
    "%",
    "a",
    "1/0",
    "0/4",
    "0",
    "-1/4",
    "5/4",
    "101%",
    "1/2/3",
    "1e-1",
    "NaN",
    "0.12345",
    "12.345%",
  ]) {
    const read = readShare(text);
    assert.equal(read.kind, "bad", text);
    assert.match(read.kind === "bad" ? read.problem : "", /^share ".*": ./);
  }
});

test("a third of three is one, not less", () => {
  const share = { numerator: 1, denominator: 3 };
  assert.equal(exceeds(1, 3, share), false);
  assert.equal(exceeds(2, 5, share), true);
  assert.equal(smallestPool(share), 3);
  assert.equal(smallestPool({ numerator: 2, denominator: 5 }), 3);
});
