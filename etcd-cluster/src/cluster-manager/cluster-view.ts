import { z } from "zod";
import type { Entry } from "../etcd/wire.ts";
import { type ClusterDocument, clusterDocumentSchema } from "./cluster-document.ts";
import type { clusterKeys } from "./cluster-keys.ts";
import type { ClusterUser } from "./synchronization.fsm.ts";

export const clusterReportSchema = z.object({ step: z.int().min(0), synchronized: z.boolean() });

/** What stands in etcd about a cluster. */
export interface ClusterView {
  /** invalid: of a later release, or damaged; nothing is decided on it. */
  readonly document: ClusterDocument | "invalid" | undefined;
  /** For compare-and-swap; 0 where there is none. */
  readonly revision: number;
  readonly users: readonly ClusterUser[];
}

export function readCluster(
  entries: ReadonlyMap<string, Entry>,
  keys: ReturnType<typeof clusterKeys>,
): ClusterView {
  const entry = entries.get(keys.document);
  const users = [...entries.values()]
    .filter(({ key }) => key.startsWith(keys.users))
    // A report that cannot be read is one of a user that has confirmed nothing.
    .map(({ value }) => parse(value, clusterReportSchema) ?? { step: 0, synchronized: false });
  if (entry === undefined) return { document: undefined, revision: 0, users };
  const document = parse(entry.value, clusterDocumentSchema) ?? "invalid";
  return { document, revision: entry.revision, users };
}

function parse<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
