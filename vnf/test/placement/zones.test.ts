import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellMap, cellSizes, hostsNeeded } from "../../src/placement/cells.ts";
import { hostsPerZone, zoneMap } from "../../src/placement/zones.ts";

const cases = fc.record({
  denominator: fc.integer({ min: 1, max: 12 }),
  members: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  zones: fc.integer({ min: 1, max: 4 }),
});

function mapOf({ denominator, members }: { denominator: number; members: number | undefined }): number[] {
  return cellMap({ share: { numerator: 1, denominator }, ...(members === undefined ? {} : { members }) }, 64);
}

test("at every size the zones differ by one member at most, and a member's zone does not depend on the size", () => {
  fc.assert(
    fc.property(cases, (given) => {
      const cells = mapOf(given);
      const zonesOf = zoneMap(cells, given.zones);
      for (let size = 1; size <= cells.length; size++) {
        const counts = Array.from(
          { length: given.zones },
          (_, zone) => zonesOf.slice(0, size).filter((other) => other === zone).length,
        );
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `size ${size}: ${counts.join()}`);
      }
      assert.deepEqual(zoneMap(cells.slice(0, 20), given.zones), zonesOf.slice(0, 20));
    }),
  );
});

test("the hosts of a zone are enough for its part of every cell, and no zone needs much more than its part of the hosts", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 64 }), (given, size) => {
      const cells = mapOf(given).slice(0, size);
      const zonesOf = zoneMap(cells, given.zones);
      const hosts = hostsPerZone(cells, zonesOf, given.zones);
      // Found by trying all of these sizes; none with two zones, one with three.
      const more = given.zones < 4 ? 1 : 2;
      hosts.forEach((needed, zone) => {
        const sizes = cellSizes(cells.filter((_cell, member) => zonesOf[member] === zone));
        assert.ok(sizes.every((members) => members <= needed));
        assert.ok(
          needed <= Math.ceil(hostsNeeded(cells) / given.zones) + more,
          `${needed} of ${hosts.join()}`,
        );
      });
    }),
  );
});
