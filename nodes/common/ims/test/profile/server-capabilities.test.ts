import assert from "node:assert/strict";
import { test } from "node:test";
import { rankScscfs } from "../../src/index.ts";

test("TS 29.228 §6.7: S-CSCFs lacking a mandatory capability are out, optional ones order the rest", () => {
  const offered = [
    { uri: "sip:s1", capabilities: [1], priority: 1 },
    { uri: "sip:s2", capabilities: [1, 2, 9], priority: 2 },
    { uri: "sip:s3", capabilities: [2], priority: 0 },
    { uri: "sip:s4", capabilities: [1], priority: 0 },
  ];
  assert.deepEqual(rankScscfs({ mandatory: [1], optional: [9], serverNames: [] }, offered), [
    "sip:s2",
    "sip:s4",
    "sip:s1",
  ]);
  assert.deepEqual(
    rankScscfs(
      { mandatory: [], optional: [], serverNames: ["sip:named"] },
      offered,
      new Set(["sip:s3", "sip:s4"]),
    ),
    ["sip:named", "sip:s1", "sip:s2"],
  );
});
