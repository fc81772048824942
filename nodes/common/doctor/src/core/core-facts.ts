import { z } from "zod";
import type { TrailNode } from "../trail/trail-node.ts";
import { askJson } from "./ask-json.ts";

const about = z.object({
  node: z.string(),
  options: z.record(z.string(), z.object({ value: z.unknown() })),
});
const alarms = z.object({
  active: z.array(
    z.object({
      problemId: z.string(),
      perceivedSeverity: z.string(),
      objectInstance: z.string(),
      summary: z.string(),
      additionalText: z.string(),
      alarmRaisedTime: z.string(),
    }),
  ),
});

export type NodeAlarm = z.output<typeof alarms>["active"][number] & { readonly node: string };

/** What the nodes say of themselves. */
export interface CoreFacts {
  readonly homeDomain: string | undefined;
  /** Of the provisioning API, when a homestead has one that we can reach. */
  readonly provisioningUrl: string | undefined;
  readonly alarms: readonly NodeAlarm[];
}

/** Never rejects: who does not answer says nothing; the trail tells that it does not. */
export async function coreFacts(
  nodes: readonly TrailNode[],
  token: string | undefined,
  patienceMs?: number,
): Promise<CoreFacts> {
  let homeDomain: string | undefined;
  let provisioningUrl: string | undefined;
  const raised: NodeAlarm[] = [];
  await Promise.all(
    nodes.map(async (node) => {
      const said = about.safeParse(await askJson(node, "/about", token, patienceMs));
      if (said.success) {
        const { options } = said.data;
        const text = (name: string): string => String(options[name]?.value ?? "");
        homeDomain ??= text("homeDomain") || undefined;
        const port = text("provisioningPort");
        if (said.data.node === "homestead" && port !== "" && port !== "0")
          provisioningUrl ??= urlOf(text("provisioningHost"), port, node.url);
      }
      const list = alarms.safeParse(await askJson(node, "/alarms", token, patienceMs));
      if (list.success) raised.push(...list.data.active.map((one) => ({ ...one, node: node.name })));
    }),
  );
  return { homeDomain, provisioningUrl, alarms: raised };
}

/** Without an address of its own it listens where the node does when that is loopback, else at 127.0.0.1. */
function urlOf(host: string, port: string, managementUrl: string): string {
  const near = new URL(managementUrl).hostname;
  if (host === "0.0.0.0" || host === "::") return `http://${near}:${port}`;
  if (host !== "") return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return /^(?:127\.|localhost$|\[::1\])/.test(near) ? `http://${near}:${port}` : `http://127.0.0.1:${port}`;
}
