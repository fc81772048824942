import { z } from "zod";
import type { Entry } from "../etcd/wire.ts";
import { type ClusterDocument, clusterDocumentSchema } from "./cluster-document.ts";
import type { clusterKeys } from "./cluster-keys.ts";

export const clusterReportSchema = z.object({ step: z.int().min(0), synchronized: z.boolean() });

/** The document as it stands in etcd. Undefined: there is none, or one that cannot be read. */
export function readCluster(
  entries: ReadonlyMap<string, Entry>,
  keys: ReturnType<typeof clusterKeys>,
): ClusterDocument | undefined {
  const entry = entries.get(keys.document);
  return entry === undefined ? undefined : parseJson(entry.value, clusterDocumentSchema);
}

/** Undefined for what is no JSON, or not of this shape. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
