import assert from "node:assert/strict";
import { test } from "node:test";
import { type Compared, shareOf, summary } from "../overload/compared.ts";
import type { Step } from "../overload/steps.ts";

const step = (goodput: number, more: Partial<Step> = {}): Step => ({
  ...{ name: "", offered: 600, goodput, refused: 0, failed: 0, inDialog: 1, setupP50: 1, setupP95: 2 },
  ...{ refusalP95: 3, retransmissions: 0, complaints: "", ...more },
});
const compared = (times: number, over: number, full: readonly [number, number]): Compared => ({
  ...{ times, over: step(over, { inDialog: over === 400 ? 0.99 : 1 }) },
  ...{ full: [step(full[0]), step(full[1])], calm: step(300, { refused: 60 }) },
});

test("goodput beyond capacity is compared with the better of its neighbours", () => {
  assert.equal(shareOf(compared(2, 450, [400, 500])), 0.9);
});

test("the summary has the median, every turn in order, and the worst of the rest", () => {
  const turns = [compared(2, 400, [500, 400]), compared(2, 500, [500, 480]), compared(2, 450, [400, 500])];
  assert.equal(
    summary([...turns, compared(5, 300, [400, 400])]),
    "2 x: goodput 0.90 of the best [0.80 0.90 1.00]; in-dialog 99.0 %, 0 failed; afterwards refused for at most 0.10 s\n" +
      "5 x: goodput 0.75 of the best [0.75]; in-dialog 100.0 %, 0 failed; afterwards refused for at most 0.10 s",
  );
});
