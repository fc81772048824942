import type { ConfigReader } from "@ims/etcd-cluster";
import { withServiceOptions } from "@ims/runtime";

/** The kinds of node. */
export const NODES = ["bono", "sprout", "homestead", "ralf", "homer", "ellis"] as const;
export type NodeName = (typeof NODES)[number];

/** Those that read the configuration which a site shares in etcd. */
export const SITE_NODES: readonly NodeName[] = ["bono", "sprout", "homestead"];

/** The option schemas of these nodes; loaded when they are asked for, other commands start without them. */
export async function nodeSchemas(names: readonly NodeName[]): Promise<readonly ConfigReader[]> {
  return Promise.all(
    names.map(async (pool) => ({ pool, schema: withServiceOptions(await SCHEMAS[pool]()) })),
  );
}

const SCHEMAS: Readonly<Record<NodeName, () => Promise<ConfigReader["schema"]>>> = {
  bono: async () => (await import("@ims/bono/options")).bonoOptions,
  sprout: async () => (await import("@ims/sprout/options")).sproutOptions,
  homestead: async () => (await import("@ims/homestead/options")).homesteadOptions,
  ralf: async () => (await import("@ims/ralf/options")).ralfOptions,
  homer: async () => (await import("@ims/homer/options")).homerOptions,
  ellis: async () => (await import("@ims/ellis/options")).ellisOptions,
};
