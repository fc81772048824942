import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeArgumentsOf } from "../src/index.ts";

const known = ["sprout", "bono"];

test("each node has its own arguments, in the order given", () => {
  const read = nodeArgumentsOf(["sprout", "--host", "bono", "--", "bono", "--sip-port", "5060"], known);
  assert.ok(typeof read !== "string");
  assert.deepEqual(
    [...read],
    [
      ["sprout", ["--host", "bono"]],
      ["bono", ["--sip-port", "5060"]],
    ],
  );
});

test("no node, an unknown one and one that is there twice are told", () => {
  assert.equal(nodeArgumentsOf([], known), "which nodes? write sprout [options] -- bono [options]");
  assert.equal(nodeArgumentsOf(["homestead"], known), "homestead: no such node; write sprout or bono");
  assert.equal(nodeArgumentsOf(["__proto__"], known), "__proto__: no such node; write sprout or bono");
  assert.equal(nodeArgumentsOf(["bono", "--", "bono"], known), "bono is there twice");
});
