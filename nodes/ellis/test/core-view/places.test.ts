import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "../../src/core-view/places.ts";

function start(most: number, mostEach: number) {
  const places = new Places({ most, mostEach });
  const lost: string[] = [];
  const enter = (name: string) => places.enter(name, () => lost.push(name));
  return { enter, lost };
}

test("whoever comes when all places are taken gets one of who has most, until all have a fair share", () => {
  const { enter, lost } = start(32, 8);
  for (const name of ["a", "b", "c", "d"])
    for (let at = 0; at < 8; at++) assert.equal(typeof enter(name), "function");
  assert.equal(enter("a"), "ownTaken");
  const got = Array.from({ length: 8 }, () => typeof enter("e"));
  // 32 places among five: six or seven for each.
  assert.deepEqual(got, [...Array.from({ length: 6 }, () => "function"), "string", "string"]);
  assert.equal(enter("e"), "allTaken");
  assert.deepEqual(lost.toSorted(), ["a", "a", "b", "b", "c", "d"]);
});

test("as many as there are places may come, one of each, and no more", () => {
  const { enter, lost } = start(4, 4);
  for (let at = 0; at < 4; at++) enter("a");
  for (const name of ["b", "c", "d"]) assert.equal(typeof enter(name), "function");
  assert.equal(enter("e"), "allTaken");
  assert.deepEqual(lost, ["a", "a", "a"]);
});

test("a place that was given back is free, and giving it back again takes nobody's", () => {
  const { enter, lost } = start(2, 2);
  const [one, other] = [enter("a"), enter("a")];
  assert.ok(typeof one === "function" && typeof other === "function");
  const b = enter("b");
  assert.deepEqual(lost, ["a"]);
  // It was lost: nothing is to be given back any more.
  one();
  assert.equal(enter("c"), "allTaken");
  assert.ok(typeof b === "function");
  b();
  b();
  assert.equal(typeof enter("c"), "function");
  assert.equal(enter("d"), "allTaken");
});
