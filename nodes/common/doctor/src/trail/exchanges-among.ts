import { TrailKey } from "@ims/runtime";
import type { NodeStep } from "./ask-node.ts";
import { type Exchange, endOf, exchangeOf, exchangesOf, startOf } from "./exchange.ts";
import { belongsNearby, CLOCKS_APART_MS, NEARBY_MS } from "./nearby.ts";

/**
 * The latest registrations and calls among steps that were told already, each with what was asked of the HSS, and what stores failed at, while
 * it went on. Pure. For ladders that grow: nodes are asked for what is new only.
 */
export function exchangesAmong(
  steps: readonly NodeStep[],
  last: number,
): { readonly exchanges: readonly Exchange[]; readonly earlier: number } {
  const candidates = exchangesOf(steps.filter(({ callId }) => callId !== undefined));
  const others = steps.filter(({ callId }) => callId === undefined);
  const exchanges = candidates.slice(-last).map((one) => {
    const near = nearOf(one, others);
    return near.length === 0 ? exchangeOf(one.steps) : exchangeOf([...one.steps, ...near]);
  });
  return { exchanges, earlier: candidates.length - exchanges.length };
}

function nearOf(exchange: Exchange, others: readonly NodeStep[]): readonly NodeStep[] {
  if (others.length === 0) return [];
  const identities = new Set(
    exchange.steps.flatMap(({ kind, identities: named = [] }) => (kind === "sip" ? named : [])),
  );
  const keys = [...identities].map((one) => new TrailKey(one));
  const [since, until] = [startOf(exchange) - CLOCKS_APART_MS, endOf(exchange) + NEARBY_MS];
  const within = others.filter(({ time }) => time >= since && time <= until);
  const named = within.filter(({ identities: of = [] }) =>
    of.some((one) => keys.some((key) => key.names(one))),
  );
  // An answer that names nobody belongs to its request.
  const sessions = new Set(named.flatMap(({ session }) => session ?? []));
  const all = within.filter((step) => named.includes(step) || sessions.has(step.session ?? ""));
  return all.filter(belongsNearby(exchange));
}
