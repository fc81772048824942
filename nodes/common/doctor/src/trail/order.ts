import type { NodeStep } from "./ask-node.ts";

/**
 * Steps of several nodes as they happened: a node's own as it recorded them, nothing arrives before it was sent, and otherwise by
 * time. Clocks of machines differ, often by more than a message takes.
 */
export function inOrder(steps: readonly NodeStep[]): NodeStep[] {
  const byNode = Map.groupBy(steps, ({ node }) => node);
  const queues = [...byNode.values()].map((own) => own.sort((a, b) => a.sequence - b.sequence));
  const senderOf = new Map([...arrivalsOf(queues.flat().sort(byTime))].map(([sent, come]) => [come, sent]));
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
    ordered.push(first.step);
  }
  return ordered;
}

/** What came to a node, by what left another one. What was sent several times came from the last of them before it. */
export function arrivalsOf(steps: readonly NodeStep[]): Map<NodeStep, NodeStep> {
  const keyOf = ({ kind, message = "" }: NodeStep): string => `${kind} ${message}`;
  const sent = new Map<string, NodeStep[]>();
  for (const step of steps)
    if (step.direction === "out" && step.message !== undefined)
      sent.set(keyOf(step), [...(sent.get(keyOf(step)) ?? []), step]);
  const arrivals = new Map<NodeStep, NodeStep>();
  for (const step of steps) {
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
