import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellMap, hostCap, hostsNeeded, type Tolerance } from "../../src/placement/cells.ts";
import { isAligned, scalingSteps } from "../../src/placement/steps.ts";

const sizes = fc.integer({ min: 0, max: 64 });
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

/** Members per host are counted; each is put where a scheduler with hard anti-affinity may put it and hurts most. */
class WorstCloud {
  readonly #cells: readonly number[];
  readonly #hosts: readonly Set<number>[];
  readonly #place = new Map<number, number>();

  constructor(cells: readonly number[], hosts: number) {
    this.#cells = cells;
    this.#hosts = Array.from({ length: hosts }, () => new Set<number>());
  }

  /** The fullest host without a member of this cell: anti-affinity allows no other choice that is worse. */
  add(member: number, choice: number): void {
    const cell = this.#cells[member] ?? -1;
    const free = [...this.#hosts.keys()].filter((host) => this.#hosts[host]?.has(cell) === false);
    assert.ok(free.length > 0, `no host for member ${member}`);
    const fullest = Math.max(...free.map((host) => this.#hosts[host]?.size ?? 0));
    const worst = free.filter((host) => (this.#hosts[host]?.size ?? 0) === fullest);
    const host = (choice % 3 === 0 ? free : worst)[choice % (choice % 3 === 0 ? free : worst).length] ?? 0;
    this.#hosts[host]?.add(cell);
    this.#place.set(member, host);
  }

  remove(member: number): void {
    this.#hosts[this.#place.get(member) ?? -1]?.delete(this.#cells[member] ?? -1);
    this.#place.delete(member);
  }

  get fullest(): number {
    return Math.max(...this.#hosts.map((host) => host.size));
  }

  get size(): number {
    return this.#place.size;
  }
}

test("a quarter: 7, 11, 15 and back are the stops of any larger change", () => {
  const quarter: Tolerance = { share: { numerator: 1, denominator: 4 } };
  assert.deepEqual(scalingSteps(quarter, 7, 15), [11, 15]);
  assert.deepEqual(scalingSteps(quarter, 15, 7), [11, 7]);
  assert.deepEqual(scalingSteps(quarter, 5, 17), [7, 11, 15, 17]);
  assert.deepEqual(scalingSteps(quarter, 17, 5), [15, 11, 7, 5]);
  assert.deepEqual(scalingSteps(quarter, 8, 10), [10]);
  assert.deepEqual(scalingSteps(quarter, 9, 9), []);
  assert.equal(isAligned(quarter, 7, 11), true);
  assert.equal(isAligned(quarter, 7, 12), false);
});

test("stops are 1/p apart, so that a scaling aspect has uniform steps (SOL001)", () => {
  for (const denominator of [2, 3, 4, 5, 8]) {
    const steps = scalingSteps({ share: { numerator: 1, denominator } }, 0, 10 * denominator - 1);
    assert.deepEqual(
      steps,
      Array.from({ length: 9 }, (_, at) => (at + 2) * denominator - 1),
    );
  }
});

test("every step between any two sizes is aligned, and the last one arrives", () => {
  fc.assert(
    fc.property(tolerances, sizes, sizes, (tolerance, from, to) => {
      let at = from;
      for (const next of scalingSteps(tolerance, from, to)) {
        assert.ok(isAligned(tolerance, at, next), `${at} to ${next}`);
        assert.ok(at < next === from < to && at !== next);
        at = next;
      }
      assert.equal(at, to);
    }),
  );
});

test("aligned steps in any order, placed as badly as anti-affinity allows on just the hosts needed, keep the bound at every moment", () => {
  fc.assert(
    fc.property(
      tolerances,
      fc.array(sizes, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(10_000), { minLength: 64, maxLength: 200 }),
      (tolerance, targets, choices) => {
        const map = cellMap(tolerance, 64);
        const cloud = new WorstCloud(map, hostsNeeded(map));
        let drawn = 0;
        const draw = (): number => choices[drawn++ % choices.length] ?? 0;
        let at = 0;
        for (const target of targets)
          for (const next of scalingSteps(tolerance, at, target)) {
            const [low, high] = at < next ? [at, next] : [next, at];
            const order = Array.from({ length: high - low }, (_, offset) => low + offset);
            for (let left = order.length; left > 0; left--) {
              const [member = 0] = order.splice(draw() % left, 1);
              if (at < next) cloud.add(member, draw());
              else cloud.remove(member);
              assert.ok(
                cloud.fullest <= hostCap(tolerance, cloud.size),
                `${at} to ${next}: ${cloud.fullest} on a host of ${cloud.size}`,
              );
            }
            at = next;
          }
      },
    ),
    { numRuns: 60 },
  );
});

/** Whether any order and any placement reaches a state above the bound: all of them are tried. */
function bruteForce(tolerance: Tolerance, low: number, high: number): boolean {
  const map = cellMap(tolerance, high);
  const hosts = hostsNeeded(map);
  const place = new Array<number>(high).fill(-1);
  const seen = new Set<string>();
  // The members below `low` first, then any of the others in any order.
  const violated = (placed: number): boolean => {
    if (placed > low) {
      const load = new Array<number>(hosts).fill(0);
      for (const host of place) if (host >= 0) load[host] = (load[host] ?? 0) + 1;
      if (Math.max(...load) > hostCap(tolerance, placed)) return true;
    }
    const key = place.join(",");
    if (seen.has(key)) return false;
    seen.add(key);
    const next = placed < low ? [placed] : Array.from({ length: high - low }, (_, offset) => low + offset);
    for (const member of next) {
      if (place[member] !== -1) continue;
      for (let host = 0; host < hosts; host++) {
        if (place.some((where, other) => where === host && map[other] === map[member])) continue;
        place[member] = host;
        const found = violated(placed + 1);
        place[member] = -1;
        if (found) return true;
      }
    }
    return false;
  };
  return violated(0);
}

test("what is called aligned is just what no order and no placement can break: all are tried for small pools", () => {
  const cases: readonly [number, number, number | undefined, number][] = [
    [1, 1, undefined, 5],
    [1, 2, undefined, 6],
    [1, 2, 2, 6],
    [2, 3, undefined, 6],
    [1, 3, undefined, 6],
    [2, 5, undefined, 6],
  ];
  for (const [numerator, denominator, members, largest] of cases) {
    const tolerance = { share: { numerator, denominator }, ...(members === undefined ? {} : { members }) };
    for (let low = 0; low < largest; low++)
      for (let high = low + 1; high <= largest; high++)
        assert.equal(
          bruteForce(tolerance, low, high),
          !isAligned(tolerance, low, high),
          `share ${numerator}/${denominator}, ${low} to ${high}`,
        );
  }
});
