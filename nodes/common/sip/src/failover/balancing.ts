import type { Clock } from "@ims/runtime";
import type { Target } from "../transport/transport.ts";
import type { Hop } from "./hop.ts";
import type { MethodPolicy } from "./policy.ts";

/** FNV-1a, 32 bit. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Rendezvous hashing: each key has its own order of hops, and a hop that goes moves only its own keys. */
function rendezvous(keyHash: number, seed: number): number {
  let hash = Math.imul(keyHash ^ seed, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export interface BalancingKeys {
  readonly callId: string;
  readonly requestUri: string;
}

const MAX_TARGETS = 64;
/** Used within one call only. */
const scores = new Float64Array(MAX_TARGETS);
const SCORE_SPAN = 2 ** 32;
const DOWN = 3;
const BLOCKED = 2;
const SUSPECT = 1;

/**
 * Puts targets in the order to try: those in service first, then by RFC 3263 priority, then as the method balances. `hops`
 * are theirs, in the same order. `turn` grows by one a request. `newDialog`: an open breaker counts.
 */
export function orderTargets(
  targets: Target[],
  hops: readonly Hop[],
  keys: BalancingKeys,
  policy: MethodPolicy,
  clock: Clock,
  turn: number,
  newDialog: boolean,
): Target[] {
  const count = Math.min(targets.length, MAX_TARGETS);
  const { balancing } = policy;
  const keyHash =
    balancing === "affinity"
      ? hashText(keys.callId)
      : balancing === "consistentHash"
        ? hashText(keys.requestUri)
        : 0;
  for (let at = 0; at < count; at++) {
    const target = targets[at];
    const hop = hops[at];
    if (target === undefined || hop === undefined) continue;
    const rank = rankOf(hop, policy, clock, newDialog) * MAX_TARGETS + Math.min(target.priority ?? 0, 63);
    let share: number;
    if (balancing === "roundRobin") share = at;
    else if (balancing === "leastConnections") share = hop.inFlight * MAX_TARGETS + ((at + turn) % count);
    else share = rendezvous(keyHash, hop.seed);
    const score = rank * SCORE_SPAN + Math.min(share, SCORE_SPAN - 1);
    // Insertion: there are a handful.
    let place = at;
    for (; place > 0 && (scores[place - 1] ?? 0) > score; place--) {
      scores[place] = scores[place - 1] ?? 0;
      const before = targets[place - 1];
      if (before !== undefined) targets[place] = before;
    }
    scores[place] = score;
    targets[place] = target;
  }
  if (balancing === "roundRobin") rotate(targets, firstRank(count), turn);
  return targets;
}

/** How many targets share the best rank. */
function firstRank(count: number): number {
  const best = Math.floor((scores[0] ?? 0) / SCORE_SPAN);
  let equals = 1;
  while (equals < count && Math.floor((scores[equals] ?? 0) / SCORE_SPAN) === best) equals++;
  return equals;
}

function rotate(targets: Target[], length: number, turn: number): void {
  const by = length < 2 ? 0 : turn % length;
  if (by > 0) targets.unshift(...targets.splice(by, length - by));
}

function rankOf(hop: Hop, policy: MethodPolicy, clock: Clock, newDialog: boolean): number {
  if (hop.state === "down") return DOWN;
  if (hop.penaltyUntil !== 0 && hop.penaltyUntil > clock.monotonic()) return DOWN;
  const breaker = newDialog ? hop.breaker(policy) : undefined;
  if (breaker?.blocks(clock.monotonic()) === true) return BLOCKED;
  return hop.state === "suspect" ? SUSPECT : 0;
}
