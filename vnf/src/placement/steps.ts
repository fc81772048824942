import { cellMap, hostCap, type Tolerance } from "./cells.ts";

/**
 * Whether members may be added or removed between the sizes `from` and `to` in any order, several at once, without a host
 * ever holding more than hostCap() of the members there are at that moment, wherever the scheduler puts them. On the way
 * all of {0 .. low-1} and any of {low .. high-1} exist; the worst host has one member of every cell that has any, and the
 * worst moment is when each new cell has got its first member and nothing else was added.
 */
export function isAligned(tolerance: Tolerance, from: number, to: number): boolean {
  const [low, high] = from < to ? [from, to] : [to, from];
  return aligned(tolerance, cellMap(tolerance, high), low, high);
}

function aligned(tolerance: Tolerance, map: readonly number[], low: number, high: number): boolean {
  const before = new Set(map.slice(0, low)).size;
  const added = new Set(map.slice(0, high)).size - before;
  for (let first = 1; first <= added; first++)
    if (before + first > hostCap(tolerance, low + first)) return false;
  return true;
}

/**
 * Sizes to go through from `from` to `to`, the last of them `to`, each step aligned, as few as can be. At a share of 1/d
 * the stops are 2d-1, 3d-1, 4d-1 ... Nothing to do: no steps.
 */
export function scalingSteps(tolerance: Tolerance, from: number, to: number): number[] {
  const stops: number[] = [];
  const [low, high] = from < to ? [from, to] : [to, from];
  const map = cellMap(tolerance, high);
  // From below, as far as a step can go: a part of an aligned step is aligned, so no other choice of stops is shorter.
  for (let at = low; at < high; ) {
    let next = at + 1;
    while (next < high && aligned(tolerance, map, at, next + 1)) next++;
    stops.push(next);
    at = next;
  }
  return from < to ? stops : [...stops.slice(0, -1).reverse(), ...(from === to ? [] : [to])];
}
