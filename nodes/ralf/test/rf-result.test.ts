import assert from "node:assert/strict";
import { test } from "node:test";
import { verdictOf } from "../src/rf/result.ts";

const answer = (code: number, vendorId = 0) =>
  verdictOf({ kind: "answer", avps: {}, result: { code, vendorId }, peer: "cdf.example.com" }).kind;

test("RFC 6733 §7.1: what a result of the CDF means for a record, and what for all of them", () => {
  assert.deepEqual(
    [2001, 2002].map((code) => answer(code)),
    ["accepted", "accepted"],
  );
  // Nobody takes anything: all wait.
  for (const code of [3002, 3003, 3004, 3005, 3007, 4002])
    assert.equal(answer(code), "unanswered", `${code}`);
  // This record later.
  for (const code of [4001, 4999, 5003, 5006, 5012]) assert.equal(answer(code), "postponed", `${code}`);
  // This record never.
  for (const code of [3008, 5001, 5002, 5004, 5005, 5014]) assert.equal(answer(code), "refused", `${code}`);
  assert.deepEqual([answer(4010, 10415), answer(5999, 10415)], ["postponed", "refused"]);
});

test("RFC 6733 §5.5.4: without an answer it may have arrived, unless it never left", () => {
  assert.deepEqual(verdictOf({ kind: "timeout" }), {
    kind: "unanswered",
    sent: true,
    reason: "no answer in time",
  });
  const without = (cause: "noPeer" | "disconnected" | "tooLong" | "malformedAnswer") =>
    verdictOf({ kind: "unavailable", cause });
  assert.deepEqual(without("noPeer"), { kind: "unanswered", sent: false, reason: "noPeer" });
  assert.deepEqual(without("disconnected"), { kind: "unanswered", sent: true, reason: "disconnected" });
  assert.equal(without("tooLong").kind, "refused");
  assert.equal(without("malformedAnswer").kind, "postponed");
});
