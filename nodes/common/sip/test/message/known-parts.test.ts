import assert from "node:assert/strict";
import { test } from "node:test";
import { hashed, KnownParts } from "../../src/message/known-parts.ts";

const hashOf = (part: string): number => {
  let hash = 0;
  for (let at = 0; at < part.length; at++) hash = hashed(hash, part.charCodeAt(at));
  return hash;
};

/** Parts as they are found, and those that had to be read. */
function bench(read: (part: string) => string | undefined = (part) => part.toUpperCase()) {
  const parts = new KnownParts<string>();
  const reads: string[] = [];
  const find = (part: string, before = "sip:someone@"): string | undefined =>
    parts.find(hashOf(part), before + part, before.length, (one) => {
      reads.push(one);
      return read(one);
    });
  return { find, reads };
}

test("what comes a third time is not read again, whatever stands before it", () => {
  const { find, reads } = bench();
  assert.deepEqual(
    [find("a.example", "sip:"), find("a.example"), find("a.example", "sip:other@")],
    [...["A.EXAMPLE", "A.EXAMPLE", "A.EXAMPLE"]],
  );
  assert.deepEqual(reads, ["a.example", "a.example"]);
});

test("texts with one hash keep meanings of their own", () => {
  const { find } = bench();
  assert.equal(hashOf("hostAa"), hashOf("hostBB"));
  for (let round = 0; round < 4; round++)
    for (const part of ["hostAa", "hostBB", "hostAa", "hostAa"]) assert.equal(find(part), part.toUpperCase());
});

test("what comes once takes no place: thousands of strangers leave what is known", () => {
  const { find, reads } = bench();
  for (let i = 0; i < 3; i++) find("own.example;lr");
  reads.length = 0;
  for (let i = 0; i < 20_000; i++)
    assert.equal(find(`192.0.2.1:${i};x=${i * 7}`), `192.0.2.1:${i};X=${i * 7}`);
  assert.equal(reads.length, 20_000);
  find("own.example;lr");
  assert.equal(reads.length, 20_000);
});

test("long parts and parts that cannot be read are read every time", () => {
  const long = bench();
  for (let i = 0; i < 4; i++) assert.equal(long.find("x".repeat(129)), "X".repeat(129));
  assert.equal(long.reads.length, 4);
  const bad = bench(() => undefined);
  for (let i = 0; i < 4; i++) assert.equal(bad.find("-"), undefined);
  assert.equal(bad.reads.length, 4);
});
