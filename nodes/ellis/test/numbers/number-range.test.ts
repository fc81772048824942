import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formattedNumber,
  makeRange,
  numberAt,
  overlaps,
  parseRange,
} from "../../src/numbers/number-range.ts";

const rangeOf = (text: string) => {
  const reading = parseRange(text, false);
  return reading.kind === "range" ? reading.range : assert.fail(reading.problem);
};

test("a range is its first number and how many follow, with zeros and plus kept", () => {
  const range = rangeOf("0098-0101");
  assert.deepEqual(range, { first: "0098", count: 4, pstn: false });
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => numberAt(range, index)),
    ["0098", "0099", "0100", "0101"],
  );
  assert.equal(numberAt(rangeOf("+16505550000-+16505550009"), 9), "+16505550009");
});

test("ranges that share a number overlap; numbers of another length or with a plus are others", () => {
  assert.ok(overlaps(rangeOf("100-199"), rangeOf("199-300")));
  assert.ok(!overlaps(rangeOf("100-199"), rangeOf("200-300")));
  assert.ok(!overlaps(rangeOf("100-199"), rangeOf("0100-0199")));
  assert.ok(!overlaps(rangeOf("100-199"), rangeOf("+100-+199")));
});

test("a range that is none is refused with what to write", () => {
  for (const [text, problem] of [
    ["200-100", /1 to 10000000 numbers/],
    ["100-1000", /same length/],
    ["+100-199", /same length/],
    ["12-13", /same length/],
    ["1-2-3", /same length/],
    ["00000000-99999999", /1 to 10000000/],
  ] as const) {
    const reading = parseRange(text, false);
    assert.match(reading.kind === "wrong" ? reading.problem : text, problem);
  }
  const longer = makeRange("999", 2, false);
  assert.match(longer.kind === "wrong" ? longer.problem : "", /more digits/);
});

test("North American numbers are shown in groups, others as they are", () => {
  assert.equal(formattedNumber("6505550100"), "(650) 555-0100");
  assert.equal(formattedNumber("+16505550100"), "+1 (650) 555-0100");
  assert.equal(formattedNumber("+4930123456"), "+4930123456");
});
