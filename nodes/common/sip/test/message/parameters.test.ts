import assert from "node:assert/strict";
import { test } from "node:test";
import { Parameters } from "../../src/message/parameters.ts";

test("RFC 3261 §7.3.1: what is read of one list of parameters is not changed by another", () => {
  const first = Parameters.parse(";a=1;b;c=3") ?? assert.fail();
  const second = Parameters.parse(";x=9") ?? assert.fail();
  assert.equal(Parameters.parse(";y=1;z=2;=3"), undefined);
  const third = Parameters.parse("") ?? assert.fail();
  first.set("d", "4").delete("a");
  third.set("t", "5");
  assert.deepEqual([first, second, third].map(String), [";b;c=3;d=4", ";x=9", ";t=5"]);
  assert.deepEqual([first.get("b"), first.get("a"), second.get("b")], ["", undefined, undefined]);
  assert.equal(String(new Parameters().set("n", undefined)), ";n");
});

test("64 parameters are read, more are too many", () => {
  const list = (count: number): string => Array.from({ length: count }, (_, at) => `;n${at}=${at}`).join("");
  for (const count of [8, 9, 64, 3]) {
    const read = Parameters.parse(list(count)) ?? assert.fail();
    assert.equal(read.names.length, count);
    assert.equal(read.toString(), list(count));
  }
  assert.equal(Parameters.parse(list(65)), undefined);
});
