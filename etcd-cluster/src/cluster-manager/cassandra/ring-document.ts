import { z } from "zod";

export const RING_STATES = [
  "waiting-to-join",
  /** Bootstraps: ranges are streamed to it. */
  "joining",
  "normal",
  "waiting-to-leave",
  /** Decommissions: its ranges are streamed to the others. */
  "leaving",
  /** Gone for long: it is to be replaced, or taken out. */
  "failed",
] as const;
export type RingState = (typeof RING_STATES)[number];

const id = z.string().min(1).max(300);

const node = z.object({
  /** host:port of its storage port. */
  id,
  state: z.enum(RING_STATES),
  /** Of this state, ms since the epoch. */
  since: z.number(),
  /** cleanup: holds rows of ranges that others own now. repair: was away for long. */
  due: z.enum(["nothing", "cleanup", "repair"]),
  /** Its place in the ring is to be taken by it again: its data are lost. */
  lost: z.boolean().optional(),
});

/** What one node is doing for the ring. There is never a second one. */
const operation = z.object({
  task: z.int().min(1),
  kind: z.enum(["bootstrap", "decommission", "removenode", "cleanup", "repair"]),
  /** Who does it. */
  on: id,
  /** bootstrap: whose place it takes. removenode: who is taken out. */
  of: id.optional(),
  since: z.number(),
});
export type RingOperation = Readonly<z.output<typeof operation>>;

/** The ring of Cassandra as all managers see it: one document, replaced by compare-and-swap. */
export const ringDocumentSchema = z.object({
  version: z.literal(1),
  /** Grows with each operation. */
  task: z.int().min(0),
  nodes: z.array(node).max(1000),
  operation: operation.optional(),
  /** An operation has failed: nothing begins before then, ms since the epoch. */
  notBefore: z.number().optional(),
});
export type RingDocument = Readonly<z.output<typeof ringDocumentSchema>>;
export type RingNode = RingDocument["nodes"][number];

/** What the agent beside a Cassandra says. */
export const ringReportSchema = z.object({
  id,
  /** It has no data of the ring. */
  fresh: z.boolean(),
  /** The last operation that it has ended. */
  task: z.int().min(0),
  result: z.enum(["done", "failed"]),
});
export type RingReport = Readonly<z.output<typeof ringReportSchema>>;
