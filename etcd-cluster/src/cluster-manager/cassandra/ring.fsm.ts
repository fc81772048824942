import type { RingDocument, RingNode, RingOperation, RingReport, RingState } from "./ring-document.ts";

/** What a manager sees when it decides. */
export interface RingFacts {
  readonly now: number;
  /** Nodes in the registry. draining: an operator wants it out. */
  readonly present: ReadonlyMap<string, "up" | "draining">;
  /** Nodes of the document that are not present, and for how long, ms. */
  readonly absentMs: ReadonlyMap<string, number>;
  readonly reports: readonly RingReport[];
}

export interface RingRules {
  /** Nodes to begin with; no node leaves or is taken out where fewer would stay: copies of a row. */
  readonly minimum: number;
  /** From the first one that waits until all that wait go in or out, one after the other, ms. */
  readonly batchMs: number;
  /** A node absent for so long is replaced or taken out, ms. */
  readonly failAfterMs: number;
  /** After an operation that failed, ms. */
  readonly retryMs: number;
}

/** A machine that reboots is back within ten minutes, and within the three hours for which others keep hints. */
export const DEFAULT_RING_RULES: RingRules = {
  minimum: 3,
  batchMs: 10_000,
  failAfterMs: 600_000,
  retryMs: 60_000,
};

/**
 * The next document, or undefined when there is nothing to do. Pure. One operation at a time: replacements first, then dead nodes
 * out, joins, leaves, and when nobody waits any more a cleanup or repair of each node that needs it.
 */
export function decideRing(
  document: RingDocument | undefined,
  facts: RingFacts,
  rules: RingRules,
): RingDocument | undefined {
  if (document === undefined) return begin(facts, rules);
  return takeWishes(document, facts, rules) ?? end(document, facts, rules) ?? next(document, facts, rules);
}

function begin({ now, present }: RingFacts, { minimum }: RingRules): RingDocument | undefined {
  const up = [...present].filter(([, state]) => state === "up").map(([id]) => id);
  if (up.length < Math.max(1, minimum)) return undefined;
  const nodes = up.sort().map((id) => fresh(id, now));
  return { version: 1, task: 0, nodes };
}

function takeWishes(document: RingDocument, facts: RingFacts, rules: RingRules): RingDocument | undefined {
  const { now, present, reports } = facts;
  const known = new Set(document.nodes.map(({ id }) => id));
  const added = [...present].filter(([id, state]) => state === "up" && !known.has(id)).map(([id]) => id);
  const firstAbsent = document.nodes.find(
    ({ id, state }) =>
      (state === "normal" || state === "waiting-to-leave") &&
      (facts.absentMs.get(id) ?? 0) >= rules.failAfterMs,
  );
  const nodes = document.nodes.flatMap((one): RingNode[] => {
    const wish = present.get(one.id);
    const absent = (facts.absentMs.get(one.id) ?? 0) >= rules.failAfterMs;
    // One at a time: the last one that is left is kept, dead or not.
    const dead =
      absent && (one.state === "waiting-to-join" || (one === firstAbsent && !isLast(document, one)));
    const lost = wish === "up" && reports.some(({ id, fresh }) => id === one.id && fresh);
    switch (one.state) {
      case "waiting-to-join":
        if (one.lost === true) return dead ? [{ ...to(one, "failed", now), lost: true }] : [one];
        return wish === "draining" || dead ? [] : [one];
      case "normal":
        if (dead) return [to(one, "failed", now)];
        // Its machine was made anew at the same address: it takes its own place again.
        if (lost && !isLast(document, one)) return [{ ...to(one, "waiting-to-join", now), lost: true }];
        return wish === "draining" ? [to(one, "waiting-to-leave", now)] : [one];
      case "waiting-to-leave":
        if (dead) return [to(one, "failed", now)];
        return wish === "up" ? [to(one, "normal", now)] : [one];
      case "failed":
        if (wish === undefined || document.operation?.of === one.id) return [one];
        return lost
          ? [{ ...to(one, "waiting-to-join", now), lost: true }]
          : [{ ...to(one, "normal", now), due: "repair" }];
      default:
        return [one];
    }
  });
  // Who was taken out and comes back with its data has missed what was written meanwhile.
  const stale = new Set(reports.filter((report) => !report.fresh).map(({ id }) => id));
  const enter = (id: string): RingNode => ({ ...fresh(id, now), due: stale.has(id) ? "repair" : "nothing" });
  const same = added.length === 0 && nodes.length === document.nodes.length;
  if (same && nodes.every((one, i) => one === document.nodes[i])) return undefined;
  return { ...document, nodes: [...nodes, ...added.sort().map(enter)] };
}

function isLast({ nodes }: RingDocument, one: RingNode): boolean {
  return nodes.every((other) => other === one || !owns(other) || other.state === "failed");
}

/** The end of the operation in progress: done, failed, or its node is gone for good. */
function end(document: RingDocument, facts: RingFacts, rules: RingRules): RingDocument | undefined {
  const { operation } = document;
  if (operation === undefined) return undefined;
  const report = facts.reports.find(({ id, task }) => id === operation.on && task === operation.task);
  const gone = (facts.absentMs.get(operation.on) ?? 0) >= rules.failAfterMs;
  if (report === undefined && !gone) return undefined;
  if (report?.result === "done") return finish(document, operation, facts.now);
  const nodes = document.nodes.flatMap((one): RingNode[] => {
    if (one.id !== operation.on) return [one];
    // Who has not come in is not in the ring; who has not gone out still is.
    if (one.state === "joining")
      return gone && one.lost !== true
        ? []
        : [to(one, gone ? "failed" : "waiting-to-join", facts.now, one.lost)];
    if (one.state === "leaving") return [to(one, gone ? "failed" : "waiting-to-leave", facts.now)];
    return [one];
  });
  return { version: 1, task: document.task, nodes, notBefore: facts.now + (gone ? 0 : rules.retryMs) };
}

function finish({ task, nodes }: RingDocument, { kind, on, of }: RingOperation, now: number): RingDocument {
  const after = (): RingNode[] => {
    switch (kind) {
      case "bootstrap":
        return nodes
          .filter(({ id }) => id === on || id !== of)
          .map((one) => {
            if (one.id === on) return { id: on, state: "normal", since: now, due: one.due };
            // A place that was taken over moves no ranges between the others.
            return of === undefined && owns(one) && one.due === "nothing" ? { ...one, due: "cleanup" } : one;
          });
      case "decommission":
        return nodes.filter(({ id }) => id !== on);
      case "removenode":
        return nodes.filter(({ id }) => id !== of);
      default:
        return nodes.map((one) => (one.id === on ? { ...one, due: "nothing" } : one));
    }
  };
  return { version: 1, task, nodes: after() };
}

function next(document: RingDocument, facts: RingFacts, rules: RingRules): RingDocument | undefined {
  const { now, present } = facts;
  if (document.operation !== undefined || now < (document.notBefore ?? 0)) return undefined;
  const { nodes } = document;
  const here = (...states: readonly RingState[]): RingNode[] =>
    nodes.filter(({ id, state }) => states.includes(state) && present.has(id));
  const start = (kind: RingOperation["kind"], on: RingNode, of?: string): RingDocument => {
    const task = document.task + 1;
    const state = kind === "bootstrap" ? "joining" : kind === "decommission" ? "leaving" : on.state;
    const operation = { task, kind, on: on.id, ...(of === undefined ? {} : { of }), since: now };
    return {
      version: 1,
      task,
      nodes: nodes.map((one) => (one === on ? to(one, state, now, one.lost) : one)),
      operation,
    };
  };
  const joining = here("waiting-to-join");
  const own = joining.find(({ lost }) => lost === true);
  if (own !== undefined) return start("bootstrap", own, own.id);
  const failed = nodes.find(({ state }) => state === "failed");
  if (failed !== undefined && joining[0] !== undefined) return start("bootstrap", joining[0], failed.id);
  const working = here("normal", "waiting-to-leave");
  const executor = working[0];
  // Streams need every owner of a range: with one absent and not yet given up nothing is moved.
  const whole = nodes.every((one) => !owns(one) || one.state === "failed" || present.has(one.id));
  if (!whole) return undefined;
  if (failed !== undefined && executor !== undefined && working.length >= rules.minimum)
    return start("removenode", executor, failed.id);
  if (failed !== undefined) return undefined; // until somebody comes to replace it
  const leaving = working.length > rules.minimum ? here("waiting-to-leave") : [];
  const [first] = [...joining, ...leaving];
  if (first !== undefined) {
    const ripe = [...joining, ...leaving].some(({ since }) => now - since >= rules.batchMs);
    if (!ripe) return undefined;
    return start(first.state === "waiting-to-join" ? "bootstrap" : "decommission", first);
  }
  const due = working.find((one) => one.due !== "nothing");
  return due === undefined || due.due === "nothing" ? undefined : start(due.due, due);
}

/** In the ring, whether it answers or not. */
function owns({ state, lost }: RingNode): boolean {
  return state !== "waiting-to-join" && state !== "joining" && lost !== true;
}

function fresh(id: string, now: number): RingNode {
  return { id, state: "waiting-to-join", since: now, due: "nothing" };
}

function to({ id, due }: RingNode, state: RingState, since: number, lost?: boolean): RingNode {
  return { id, state, since, due, ...(lost === true ? { lost } : {}) };
}
