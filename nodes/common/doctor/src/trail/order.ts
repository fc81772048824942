import { atOnce, type Work } from "@ims/runtime";
import type { NodeStep } from "./ask-node.ts";

/** Steps that are looked at in one piece of work. */
export const PIECE = 64;

/**
 * Steps of several nodes as they happened: a node's own as it recorded them, nothing arrives before it was sent, and otherwise by
 * time. Clocks of machines differ, often by more than a message takes.
 */
export function inOrder(steps: readonly NodeStep[]): NodeStep[] {
  return atOnce(ordering(steps));
}

/** `inOrder`, in pieces. */
export function* ordering(steps: readonly NodeStep[]): Work<NodeStep[]> {
  const byNode = Map.groupBy(steps, ({ node }) => node);
  const queues = [...byNode.values()].map((own) => own.sort((a, b) => a.sequence - b.sequence));
  yield;
  const arrivals = yield* arriving(queues.flat().sort(byTime));
  const senderOf = new Map([...arrivals].map(([sent, come]) => [come, sent]));
  const heads = queues.map(() => 0);
  const done = new Set<NodeStep>();
  const ordered: NodeStep[] = [];
  while (ordered.length < steps.length) {
    let first: { readonly queue: number; readonly step: NodeStep; readonly early: boolean } | undefined;
    for (const [queue, own] of queues.entries()) {
      const step = own[heads[queue] ?? 0];
      if (step === undefined) continue;
      const sender = senderOf.get(step);
      // Where two are taken for sender and receiver that are not, time decides.
      const early = sender !== undefined && !done.has(sender);
      if (
        first === undefined ||
        (early === first.early ? byTime(step, first.step) < 0 : !early && first.early)
      )
        first = { queue, step, early };
    }
    if (first === undefined) break;
    heads[first.queue] = (heads[first.queue] ?? 0) + 1;
    done.add(first.step);
    if (ordered.push(first.step) % PIECE === 0) yield;
  }
  return ordered;
}

/** What came to a node, by what left another one. What was sent several times came from the last of them before it. */
export function* arriving(steps: readonly NodeStep[]): Work<Map<NodeStep, NodeStep>> {
  const keyOf = ({ kind, message = "" }: NodeStep): string => `${kind} ${message}`;
  const sent = new Map<string, NodeStep[]>();
  for (const [at, step] of steps.entries()) {
    if (at % PIECE === 0) yield;
    if (step.direction !== "out" || step.message === undefined) continue;
    const same = sent.get(keyOf(step));
    if (same === undefined) sent.set(keyOf(step), [step]);
    else same.push(step);
  }
  const arrivals = new Map<NodeStep, NodeStep>();
  for (const [at, step] of steps.entries()) {
    if (at % PIECE === 0) yield;
    if (step.direction !== "in" || step.message === undefined) continue;
    const candidates = (sent.get(keyOf(step)) ?? []).filter(
      (one) => one.node !== step.node && !arrivals.has(one),
    );
    const before = candidates.filter(({ time }) => time <= step.time);
    // Clocks of machines differ.
    const from = before.at(-1) ?? candidates[0];
    if (from !== undefined) arrivals.set(from, step);
  }
  return arrivals;
}

function byTime(a: NodeStep, b: NodeStep): number {
  return a.time - b.time || (a.node === b.node ? a.sequence - b.sequence : 0);
}
