import { atOnce, type Work } from "@ims/runtime";
import type { NodeStep } from "./ask-node.ts";
import { ordering, PIECE } from "./order.ts";

/** One registration or call, with all that belongs to it at all nodes, as it happened. */
export interface Exchange {
  readonly callIds: readonly string[];
  readonly icids: readonly string[];
  readonly steps: readonly NodeStep[];
}

/** REGISTERs of one Call-ID that are further apart are registrations of their own. */
const REGISTRATIONS_APART_MS = 10_000;

/** Messages and decisions by the call they are of; calls whose ICID is the same are one (an AS between them changes the Call-ID). */
export function exchangesOf(steps: readonly NodeStep[]): Exchange[] {
  return atOnce(grouping(steps));
}

/** `exchangesOf`, in pieces. */
export function* grouping(steps: readonly NodeStep[]): Work<Exchange[]> {
  const byCall = new Map<string, NodeStep[]>();
  for (const [at, step] of steps.entries()) {
    if (at % PIECE === 0) yield;
    if (step.callId === undefined) continue;
    const own = byCall.get(step.callId);
    if (own === undefined) byCall.set(step.callId, [step]);
    else own.push(step);
  }
  const groups = new Map<string, NodeStep[]>();
  const groupOf = new Map<string, string>();
  for (const [callId, own] of byCall) {
    yield;
    const icids = [...new Set(own.flatMap(({ icid }) => icid ?? []))];
    const known = icids.map((icid) => groupOf.get(icid)).find((name) => name !== undefined) ?? callId;
    for (const icid of icids) groupOf.set(icid, known);
    const group = groups.get(known);
    if (group === undefined) groups.set(known, own);
    else for (const step of own) group.push(step);
  }
  const exchanges: Exchange[] = [];
  for (const group of groups.values()) exchanges.push(...(yield* parting(group)));
  return exchanges.sort((a, b) => startOf(a) - startOf(b));
}

export function startOf({ steps }: Exchange): number {
  return steps[0]?.time ?? 0;
}

export function endOf({ steps }: Exchange): number {
  return steps.at(-1)?.time ?? 0;
}

export function exchangeOf(steps: readonly NodeStep[]): Exchange {
  return atOnce(joining(steps));
}

/** `exchangeOf`, in pieces. */
export function* joining(steps: readonly NodeStep[]): Work<Exchange> {
  const ordered = yield* ordering(steps);
  return {
    callIds: [...new Set(ordered.flatMap(({ callId }) => callId ?? []))],
    icids: [...new Set(ordered.flatMap(({ icid }) => icid ?? []))],
    steps: ordered,
  };
}

/** A UE keeps one Call-ID for all its registrations. */
function* parting(steps: readonly NodeStep[]): Work<Exchange[]> {
  const whole = yield* joining(steps);
  const registers = whole.steps.every(({ kind, method }) => kind !== "sip" || method === "REGISTER");
  if (!registers) return [whole];
  const parts: NodeStep[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const step of whole.steps) {
    if (step.time - last > REGISTRATIONS_APART_MS) parts.push([]);
    parts.at(-1)?.push(step);
    last = step.time;
  }
  const exchanges: Exchange[] = [];
  for (const part of parts) exchanges.push(yield* joining(part));
  return exchanges;
}

/** What it was about, and how it ended. */
export function summaryOf(exchange: Exchange): {
  readonly method: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
} {
  const first = exchange.steps.find(({ kind, request }) => kind === "sip" && request === true);
  const method = first?.method ?? "";
  const finals = exchange.steps.filter(
    ({ kind, method: of, status, node }) =>
      kind === "sip" && of === method && status !== undefined && status >= 200 && node === first?.node,
  );
  const text = (key: string): string => {
    const value = first?.fields?.[key];
    return typeof value === "string" ? value : "";
  };
  const outcome = finals.at(-1)?.title.replace(/ \([^)]*\)$/, "") ?? "no final answer";
  return { method, from: text("from"), to: text("to"), outcome };
}
