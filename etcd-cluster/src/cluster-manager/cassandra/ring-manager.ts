import type { Clock, Logger } from "@ims/runtime";
import type { EtcdClient } from "../../etcd/client.ts";
import { parseJson } from "../cluster-view.ts";
import { DocumentManager } from "../document-manager.ts";
import { DEFAULT_RING_RULES, decideRing, type RingRules } from "./ring.fsm.ts";
import { type RingDocument, ringDocumentSchema, ringReportSchema } from "./ring-document.ts";

export const CASSANDRA = "cassandra";
/** Between nodes of Cassandra. */
export const STORAGE_PORT = 7000;

export interface RingManagerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  readonly rules?: Partial<RingRules>;
  /** Between two looks while nothing changes, ms. Default 1,000. */
  readonly everyMs?: number;
}

/** Who is in the ring of Cassandra: one bootstrap, decommission, removal, cleanup or repair at a time. */
export class RingManager extends DocumentManager<RingDocument> {
  constructor({ everyMs = 1000, ...options }: RingManagerOptions) {
    const rules = { ...DEFAULT_RING_RULES, ...options.rules };
    super(
      { ...options, cluster: CASSANDRA, port: STORAGE_PORT, everyMs },
      {
        parse: (text) => parseJson(text, ringDocumentSchema),
        decide: (document, { reports, ...seen }) =>
          decideRing(
            document,
            { ...seen, reports: reports.flatMap((text) => parseJson(text, ringReportSchema) ?? []) },
            rules,
          ),
        ids: ({ nodes }) => nodes.map(({ id }) => id),
        summary: ({ task, operation, nodes }) => ({
          task,
          operation,
          nodes: nodes.map(
            ({ id, state, due }) => `${id} ${state}${due === "nothing" ? "" : `, ${due} due`}`,
          ),
        }),
      },
    );
  }
}
