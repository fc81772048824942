import { cellSizes } from "./cells.ts";

/**
 * The zone of every member, for a pool that is spread over several: the zone with the fewest members, then the one with
 * the fewest of the member's cell, then the first. Like the cells, a prefix of the map of any larger pool.
 */
export function zoneMap(cells: readonly number[], zones: number): number[] {
  const all = new Array<number>(zones).fill(0);
  const ofCell = new Map<number, number[]>();
  return cells.map((cell) => {
    const own = ofCell.get(cell) ?? new Array<number>(zones).fill(0);
    ofCell.set(cell, own);
    let best = 0;
    for (let zone = 1; zone < zones; zone++) {
      const fewer = (all[zone] ?? 0) - (all[best] ?? 0) || (own[zone] ?? 0) - (own[best] ?? 0);
      if (fewer < 0) best = zone;
    }
    all[best] = (all[best] ?? 0) + 1;
    own[best] = (own[best] ?? 0) + 1;
    return best;
  });
}

/** Hosts each zone needs: its part of the largest cell it has. */
export function hostsPerZone(cells: readonly number[], zonesOf: readonly number[], zones: number): number[] {
  return Array.from({ length: zones }, (_, zone) =>
    Math.max(0, ...cellSizes(cells.filter((_cell, member) => zonesOf[member] === zone))),
  );
}
