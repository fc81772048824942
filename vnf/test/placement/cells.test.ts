import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellMap, cellSizes, hostCap, hostsNeeded, type Tolerance } from "../../src/placement/cells.ts";

const share = (numerator: number, denominator: number): Tolerance => ({ share: { numerator, denominator } });

/** Shares n/d up to a half, with and without a limit of members. */
const tolerances: fc.Arbitrary<Tolerance> = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 4 }),
    fc.option(fc.integer({ min: 1, max: 6 })),
  )
  .map(([denominator, numerator, members]) => ({
    share: { numerator: Math.min(numerator, denominator), denominator },
    ...(members === null ? {} : { members }),
  }));

test("a quarter: the first cell takes seven members, every further one four", () => {
  assert.deepEqual(cellMap(share(1, 4), 19), [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
});

test("hosts needed are 2/p - 1 however large the pool", () => {
  for (const denominator of [2, 3, 4, 5, 8])
    for (const size of [2 * denominator - 1, 24, 60, 200])
      assert.equal(hostsNeeded(cellMap(share(1, denominator), size)), 2 * denominator - 1);
  assert.equal(hostsNeeded(cellMap(share(1, 10), 12)), 12);
});

test("one member at most per host is strict anti-affinity: one cell, a host per member", () => {
  const map = cellMap({ share: { numerator: 1, denominator: 2 }, members: 1 }, 9);
  assert.deepEqual(cellSizes(map), [9]);
});

test("the whole pool on one host is allowed by a share of 1, and refused by none", () => {
  assert.equal(hostsNeeded(cellMap(share(1, 1), 12)), 1);
});

test("at every size from 1 to 64 no more cells have members than a host may hold members", () => {
  fc.assert(
    fc.property(tolerances, (tolerance) => {
      const map = cellMap(tolerance, 64);
      for (let size = 1; size <= 64; size++)
        assert.ok(new Set(map.slice(0, size)).size <= hostCap(tolerance, size), `size ${size}`);
    }),
  );
});

test("the map of a pool is a prefix of the map of any larger one", () => {
  fc.assert(
    fc.property(tolerances, fc.integer({ min: 0, max: 64 }), (tolerance, size) => {
      assert.deepEqual(cellMap(tolerance, 64).slice(0, size), cellMap(tolerance, size));
    }),
  );
});

test("no way to place the members one after the other needs fewer hosts", () => {
  // However they are placed, at size n each host holds hostCap(n) at most, so there are at least n / hostCap(n) hosts.
  fc.assert(
    fc.property(tolerances, fc.integer({ min: 1, max: 64 }), (tolerance, size) => {
      const bound = Math.max(
        ...Array.from({ length: size }, (_, at) => Math.ceil((at + 1) / hostCap(tolerance, at + 1))),
      );
      assert.equal(hostsNeeded(cellMap(tolerance, size)), bound);
    }),
  );
});

test("sizes and limits that mean nothing are refused", () => {
  for (const size of [-1, 1.5, Number.NaN, 1001]) assert.throws(() => cellMap(share(1, 4), size), RangeError);
  assert.throws(() => cellMap({ ...share(1, 4), members: 0 }, 3), RangeError);
});
