/** Where an entry may live; `id` decides the placement and must be the same text on every node. */
export interface Place {
  readonly id: string;
  /** `placeSeed(id)` */
  readonly seed: number;
}

/** Places of which `next`, if given, is about to replace `current`. */
export interface View<P extends Place> {
  readonly current: readonly P[];
  readonly next?: readonly P[];
}

/**
 * Rendezvous hashing: each key ranks all places, its replicas are the first ones of the ranking. The order of two places
 * is the same in every view, which is what lets nodes with an old and a new view meet at a common replica.
 */
export function chainOf<P extends Place>(view: View<P>, key: string, replicas: number): P[] {
  const hash = hashOf(key);
  const chain = highest(view.current, hash, replicas);
  if (view.next === undefined) return chain;
  for (const place of highest(view.next, hash, replicas)) if (!chain.includes(place)) chain.push(place);
  return chain.sort((a, b) => compare(a, b, hash));
}

function highest<P extends Place>(places: readonly P[], hash: number, replicas: number): P[] {
  const best: P[] = [];
  for (const place of places) {
    let at = best.length;
    while (at > 0 && compare(place, best[at - 1] as P, hash) < 0) at--;
    if (at >= replicas) continue;
    best.splice(at, 0, place);
    if (best.length > replicas) best.pop();
  }
  return best;
}

/** Negative when `a` ranks before `b`. */
function compare(a: Place, b: Place, hash: number): number {
  const difference = mix(b.seed ^ hash) - mix(a.seed ^ hash);
  return difference === 0 ? (a.id < b.id ? -1 : 1) : difference;
}

export function placeSeed(id: string): number {
  return mix(hashOf(id));
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The finalizer of MurmurHash3: every bit of the input moves half of the output. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
