import assert from "node:assert/strict";
import { test } from "node:test";
import { TrailRing } from "../../src/trail/trail-ring.ts";

function contents(ring: TrailRing): string[] {
  const found: string[] = [];
  for (let sequence = ring.first; sequence < ring.next; sequence++) {
    const record = ring.record(sequence);
    assert.ok(record);
    found.push(ring.bytes.toString("latin1", record.start, record.end));
  }
  return found;
}

function add(ring: TrailRing, text: string): void {
  ring.bytes.write(text, ring.claim(text.length, 1, 0, undefined), text.length, "latin1");
}

test("a ring keeps the last records, bounded in bytes and in number, each in one piece", () => {
  const ring = new TrailRing({ bytes: 1_000, records: 12 });
  const given: string[] = [];
  let seed = 7;
  for (let index = 0; index < 3_000; index++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const text = `${index}:`.padEnd(1 + (seed % (index % 10 === 0 ? 1_000 : 200)), "x");
    add(ring, text);
    given.push(text);
    const kept = contents(ring);
    assert.ok(kept.length >= 1 && kept.length <= 12);
    assert.ok(kept.join("").length <= 1_000);
    assert.deepEqual(kept, given.slice(-kept.length));
  }
});

test("nothing is dropped before its place is needed", () => {
  const ring = new TrailRing({ bytes: 100, records: 100 });
  for (let index = 0; index < 25; index++) add(ring, String(1_000 + index));
  assert.equal(contents(ring).length, 25);
  add(ring, "next");
  assert.deepEqual([contents(ring).length, contents(ring)[0]], [25, "1001"]);
});

test("a record that is gone is not there, nor one that has not come", () => {
  const ring = new TrailRing({ bytes: 10, records: 2 });
  add(ring, "first");
  add(ring, "second");
  add(ring, "third");
  assert.equal(ring.record(0), undefined);
  assert.equal(ring.record(3), undefined);
});

test("what a record was between is let go with it", () => {
  const ring = new TrailRing({ bytes: 100, records: 2 });
  const ends = { local: "a", remote: "b" };
  ring.claim(1, 0, 0, ends);
  assert.equal(ring.record(0)?.ends, ends);
  add(ring, "x");
  add(ring, "x");
  assert.ok(!JSON.stringify([ring.record(1), ring.record(2)]).includes("remote"));
});
