import { TrailKey, type Work } from "@ims/runtime";
import type { NodeStep } from "./ask-node.ts";
import { type Exchange, endOf, grouping, joining, startOf } from "./exchange.ts";
import { belongsNearby, CLOCKS_APART_MS, NEARBY_MS } from "./nearby.ts";
import { PIECE } from "./order.ts";

/**
 * The latest registrations and calls among steps that were told already, each with what was asked of the HSS, and what stores failed at, while
 * it went on. Pure, in pieces. For ladders that grow: nodes are asked for what is new only.
 */
export function* exchangesAmong(
  steps: readonly NodeStep[],
  last: number,
): Work<{ readonly exchanges: readonly Exchange[]; readonly earlier: number }> {
  const candidates = yield* grouping(steps.filter(({ callId }) => callId !== undefined));
  const others = steps.filter(({ callId }) => callId === undefined);
  const exchanges: Exchange[] = [];
  for (const one of candidates.slice(-last)) {
    const near = yield* nearOf(one, others);
    exchanges.push(near.length === 0 ? one : yield* joining([...one.steps, ...near]));
  }
  return { exchanges, earlier: candidates.length - exchanges.length };
}

function* nearOf(exchange: Exchange, others: readonly NodeStep[]): Work<readonly NodeStep[]> {
  if (others.length === 0) return [];
  const identities = new Set(
    exchange.steps.flatMap(({ kind, identities: named = [] }) => (kind === "sip" ? named : [])),
  );
  const keys = [...identities].map((one) => new TrailKey(one));
  const [since, until] = [startOf(exchange) - CLOCKS_APART_MS, endOf(exchange) + NEARBY_MS];
  const within = others.filter(({ time }) => time >= since && time <= until);
  const named = new Set<NodeStep>();
  // An answer that names nobody belongs to its request.
  const sessions = new Set<string>();
  for (const [at, step] of within.entries()) {
    if (at % PIECE === 0) yield;
    const { identities: of = [], session } = step;
    if (!of.some((one) => keys.some((key) => key.names(one)))) continue;
    named.add(step);
    if (session !== undefined) sessions.add(session);
  }
  const all = within.filter((step) => named.has(step) || sessions.has(step.session ?? ""));
  return all.filter(belongsNearby(exchange));
}
