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
  const times = exchange.steps.filter(({ kind }) => kind === "sip").map(({ time }) => time);
  const registration = isRegistration(exchange);
  return ({ time, method = "" }) =>
    (registration || !REGISTRATION_ONLY.has(method)) && times.some((at) => Math.abs(at - time) <= NEARBY_MS);
}

export function isRegistration({ steps }: Exchange): boolean {
  return steps.every(({ kind, method }) => kind !== "sip" || method === "REGISTER");
}
