import { z } from "zod";

/** What a server of the cluster is doing. */
export const NODE_STATES = [
  "normal",
  "waiting-to-join",
  /** In the list that is to come: entries are brought to it. */
  "joining",
  /** In force; not everybody is known to have it yet. */
  "joined",
  "waiting-to-leave",
  /** Not in the list that is to come: its entries are brought to others. */
  "leaving",
  /** Out of force; not everybody is known to know. */
  "left",
  /** Out of force at once; the second copies of its entries are made anew. */
  "failed",
] as const;
export type NodeState = (typeof NODE_STATES)[number];

const node = z.object({
  /** host:port, as memcached's clients write it. */
  id: z.string().min(1).max(300),
  state: z.enum(NODE_STATES),
  /** Of this state, ms since the epoch. */
  since: z.number(),
});

/** The cluster as all managers see it: one document, replaced by compare-and-swap. */
export const clusterDocumentSchema = z.object({
  version: z.literal(1),
  /** Grows with each change of the servers file. */
  step: z.int().min(1),
  /** stable: one list is in force. synchronizing: two are. adopting: the second one is to be in force everywhere. */
  phase: z.enum(["stable", "synchronizing", "adopting"]),
  nodes: z.array(node).max(1000),
});
export type ClusterDocument = Readonly<z.output<typeof clusterDocumentSchema>>;
export type ClusterNode = ClusterDocument["nodes"][number];

/** What the nodes that use the cluster are told: the servers in force, and those that are to be. */
export interface ServerLists {
  readonly servers: readonly string[];
  readonly next?: readonly string[];
}

export function serverLists({ phase, nodes }: ClusterDocument): ServerLists {
  const those = (...states: readonly NodeState[]): string[] =>
    nodes.filter(({ state }) => states.includes(state)).map(({ id }) => id);
  if (phase !== "synchronizing") return { servers: those("normal", "waiting-to-leave", "joined") };
  return {
    servers: those("normal", "waiting-to-leave", "joined", "leaving"),
    next: those("normal", "waiting-to-leave", "joined", "joining"),
  };
}
