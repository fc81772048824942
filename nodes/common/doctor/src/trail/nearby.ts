import type { NodeStep } from "./ask-node.ts";
import type { Exchange } from "./exchange.ts";

/** What a Cx request or a failure of a store may be away from the messages that it belongs to, ms. */
export const NEARBY_MS = 1_000;
/** Clocks of machines differ a little. */
export const CLOCKS_APART_MS = 5;
/** TS 29.228 §6.1.1: asked by I-CSCFs about REGISTERs. */
const REGISTRATION_ONLY: ReadonlySet<string> = new Set(["UAR", "UAA"]);

/** Whether what was asked of the HSS for its users is near enough to one of the messages. */
export function belongsNearby(exchange: Exchange): (step: NodeStep) => boolean {
  const times = Float64Array.from(
    exchange.steps.filter(({ kind }) => kind === "sip"),
    ({ time }) => time,
  ).sort();
  const registration = isRegistration(exchange);
  return ({ time, method = "" }) =>
    (registration || !REGISTRATION_ONLY.has(method)) &&
    (times[firstFrom(times, time - NEARBY_MS)] ?? Number.POSITIVE_INFINITY) <= time + NEARBY_MS;
}

/** Index of the first one that is not less. */
function firstFrom(sorted: Float64Array, least: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isRegistration({ steps }: Exchange): boolean {
  return steps.every(({ kind, method }) => kind !== "sip" || method === "REGISTER");
}
