import type { Clock, Logger } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { type ClusterDocument, clusterDocumentSchema } from "./cluster-document.ts";
import { clusterReportSchema, parseJson } from "./cluster-view.ts";
import { DocumentManager } from "./document-manager.ts";
import { DEFAULT_RULES, decide, type Rules } from "./synchronization.fsm.ts";

export interface ClusterManagerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** Its servers are the members of this pool. Default memcached. */
  readonly cluster?: string;
  /** By which clients find a server whose record names no other. Default 11211. */
  readonly port?: number;
  readonly rules?: Partial<Rules>;
  /** Between two looks while nothing changes, ms. Default 1,000. */
  readonly everyMs?: number;
}

/** Which servers of memcached are in force: joins, leaves and failures, one exchange of the list at a time. */
export class ClusterManager extends DocumentManager<ClusterDocument> {
  constructor({ cluster = "memcached", port = 11_211, everyMs = 1000, ...options }: ClusterManagerOptions) {
    const rules = { ...DEFAULT_RULES, ...options.rules };
    super(
      { ...options, cluster, port, everyMs },
      {
        parse: (text) => parseJson(text, clusterDocumentSchema),
        decide: (document, { reports, ...seen }) =>
          // A report that cannot be read is one of a user that has confirmed nothing.
          decide(
            document,
            {
              ...seen,
              users: reports.map(
                (text) => parseJson(text, clusterReportSchema) ?? { step: 0, synchronized: false },
              ),
            },
            rules,
          ),
        ids: ({ nodes }) => nodes.map(({ id }) => id),
        summary: ({ step, phase, nodes }) => ({
          step,
          phase,
          nodes: nodes.map(({ id, state }) => `${id} ${state}`),
        }),
      },
    );
  }
}
