import { hkdfSync } from "node:crypto";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import { configDocumentSchema, configKeys } from "../config-manager/config-document.ts";
import { readSettings } from "../config-manager/settings.ts";
import type { EtcdClient } from "../etcd/client.ts";

/**
 * The secret that the TURN server beside bono shares with who hands out credentials: made from the key of flow tokens, which every
 * bono is told, so that no other secret has to get into the DMZ. It tells nothing of that key.
 */
export function turnSecretOf(flowTokenKey: string): string {
  return Buffer.from(hkdfSync("sha256", flowTokenKey, "", "tidewater turn", 32)).toString("hex");
}

export type FlowTokenKey =
  | { readonly kind: "key"; readonly key: string }
  /** Nobody was ever told one. */
  | { readonly kind: "none" }
  | { readonly kind: "unavailable"; readonly cause: Error };

const edgeState = z.object({ flowTokenKey: z.string().min(32) });

/** The key that bonos are told: that of the configuration, else the one that was made for them. */
export async function flowTokenKeyOf(client: EtcdClient, root: string): Promise<FlowTokenKey> {
  const [config, edge] = await Promise.all([
    client.range({ key: configKeys(root).current }),
    client.range({ key: `${root}/edge/state` }),
  ]);
  if (config.kind !== "found") return { kind: "unavailable", cause: config.cause };
  if (edge.kind !== "found") return { kind: "unavailable", cause: edge.cause };
  const document = parseJson(config.entries[0]?.value ?? "", configDocumentSchema);
  const told = readSettings(document?.text ?? "");
  const key =
    (told.kind === "settings" ? told.settings.get("flow_token_key") : undefined) ??
    parseJson(edge.entries[0]?.value ?? "", edgeState)?.flowTokenKey;
  return key === undefined ? { kind: "none" } : { kind: "key", key };
}
