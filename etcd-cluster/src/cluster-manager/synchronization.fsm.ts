import { type ClusterDocument, type ClusterNode, type NodeState, serverLists } from "./cluster-document.ts";

/** A node that uses the cluster, as it last reported. */
export interface ClusterUser {
  /** The step whose servers file it works with. */
  readonly step: number;
  /** At that step every entry is where it belongs. */
  readonly synchronized: boolean;
}

/** What a manager sees when it decides. */
export interface Facts {
  readonly now: number;
  /** Servers in the registry. draining: asks to leave. */
  readonly present: ReadonlyMap<string, "up" | "draining">;
  /** Servers that were seen and are not present, and for how long, ms. */
  readonly absentMs: ReadonlyMap<string, number>;
  readonly users: readonly ClusterUser[];
}

export interface Rules {
  /** Servers to begin with; no server leaves where fewer would stay. */
  readonly minimum: number;
  /** From the first one that waits until all that wait are let in or out together, ms. */
  readonly batchMs: number;
  /** A server absent for so long has failed, ms. */
  readonly failAfterMs: number;
}

export const DEFAULT_RULES: Rules = { minimum: 2, batchMs: 10_000, failAfterMs: 20_000 };

/**
 * The next document, or undefined when there is nothing to do. Pure: whoever decides on the same document and facts comes to the
 * same end, and whoever is late loses the compare-and-swap. There is one exchange of the server list at a time; a failure
 * during one is worked into it.
 */
export function decide(
  document: ClusterDocument | undefined,
  facts: Facts,
  rules: Rules,
): ClusterDocument | undefined {
  if (document === undefined) return begin(facts, rules);
  return (
    fail(document, facts, rules) ??
    takeWishes(document, facts) ??
    exchange(document, facts, rules) ??
    confirm(document, facts)
  );
}

function begin({ now, present }: Facts, { minimum }: Rules): ClusterDocument | undefined {
  const up = [...present].filter(([, state]) => state === "up").map(([id]) => id);
  if (up.length < Math.max(1, minimum)) return undefined;
  const nodes = up.sort().map((id) => ({ id, state: "normal", since: now }) as const);
  return { version: 1, step: 1, phase: "stable", nodes };
}

/** One failed server at a time: each is a step of its own. The last server is never given up. */
function fail(document: ClusterDocument, facts: Facts, rules: Rules): ClusterDocument | undefined {
  const { now, present, absentMs } = facts;
  const dead = document.nodes.find(
    ({ id, state }) =>
      state !== "failed" &&
      state !== "left" &&
      !present.has(id) &&
      (absentMs.get(id) ?? 0) >= rules.failAfterMs &&
      !isLast(document, id),
  );
  if (dead === undefined) return undefined;
  const others = document.nodes.filter((one) => one !== dead);
  switch (dead.state) {
    case "waiting-to-join":
      return { ...document, nodes: others };
    case "joining":
      return { ...document, step: document.step + 1, nodes: others };
    default: {
      // Whoever waits to replace it comes in with the same exchange.
      const nodes = document.nodes.map((one) =>
        one === dead
          ? to(one, "failed", now)
          : one.state === "waiting-to-join"
            ? to(one, "joining", now)
            : one,
      );
      return { ...document, step: document.step + 1, phase: "synchronizing", nodes };
    }
  }
}

function isLast(document: ClusterDocument, id: string): boolean {
  const { servers, next = servers } = serverLists(document);
  return [servers, next].some((list) => list.length === 1 && list[0] === id);
}

function takeWishes(document: ClusterDocument, { now, present }: Facts): ClusterDocument | undefined {
  const known = new Set(document.nodes.map(({ id }) => id));
  const fresh: ClusterNode[] = [...present]
    .filter(([id, state]) => state === "up" && !known.has(id))
    .map(([id]) => ({ id, state: "waiting-to-join", since: now }));
  const nodes = document.nodes.flatMap((one) => {
    const wish = present.get(one.id);
    if (wish === "draining" && one.state === "normal") return [to(one, "waiting-to-leave", now)];
    if (wish === "draining" && one.state === "waiting-to-join") return [];
    if (wish === "up" && one.state === "waiting-to-leave") return [to(one, "normal", now)];
    return [one];
  });
  const same = fresh.length === 0 && nodes.length === document.nodes.length;
  if (same && nodes.every((one, i) => one === document.nodes[i])) return undefined;
  const added = fresh.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ...document, nodes: [...nodes, ...added] };
}

/** stable → synchronizing, for all that have waited. */
function exchange(document: ClusterDocument, { now }: Facts, rules: Rules): ClusterDocument | undefined {
  if (document.phase !== "stable") return undefined;
  const joining = document.nodes.filter(({ state }) => state === "waiting-to-join");
  const wishes = document.nodes.filter(({ state }) => state === "waiting-to-leave");
  const staying = document.nodes.length - wishes.length;
  const free = wishes.length + staying - Math.max(1, rules.minimum);
  const leaving = wishes.slice(0, Math.max(0, free));
  const moving = [...joining, ...leaving];
  if (moving.length === 0) return undefined;
  if (now - Math.min(...moving.map(({ since }) => since)) < rules.batchMs) return undefined;
  const nodes = document.nodes.map((one) =>
    joining.includes(one) ? to(one, "joining", now) : leaving.includes(one) ? to(one, "leaving", now) : one,
  );
  return { ...document, step: document.step + 1, phase: "synchronizing", nodes };
}

/** synchronizing → adopting → stable, when all users have reported. Without a user nobody could bring entries over. */
function confirm(document: ClusterDocument, { now, users }: Facts): ClusterDocument | undefined {
  const all = users.length > 0 && users.every(({ step }) => step === document.step);
  if (!all) return undefined;
  if (document.phase === "synchronizing" && users.every(({ synchronized }) => synchronized)) {
    const nodes = document.nodes.map((one) =>
      one.state === "joining" ? to(one, "joined", now) : one.state === "leaving" ? to(one, "left", now) : one,
    );
    return { ...document, step: document.step + 1, phase: "adopting", nodes };
  }
  if (document.phase !== "adopting") return undefined;
  const nodes = document.nodes
    .filter(({ state }) => state !== "left" && state !== "failed")
    .map((one) => (one.state === "joined" ? to(one, "normal", now) : one));
  return { ...document, phase: "stable", nodes };
}

function to(node: ClusterNode, state: NodeState, since: number): ClusterNode {
  return { id: node.id, state, since };
}
