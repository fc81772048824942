import { isIPv6 } from "node:net";
import type { PoolsFile } from "@ims/runtime";
import type { VnfModel } from "@ims/vnf";

/** A node that Prometheus asks. */
export interface MonitoredNode {
  /** Kind of node: bono, sprout, ... */
  readonly job: string;
  readonly name: string;
  /** Of its management port. */
  readonly host: string;
  readonly port: number;
}

/** As a file of Prometheus' file_sd_configs has it. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: { readonly job: string; readonly instance: string; readonly domain: string };
}

export function targetGroups(nodes: readonly MonitoredNode[], domain: string): TargetGroup[] {
  return nodes.map(({ job, name, host, port }) => ({
    targets: [`${isIPv6(host) ? `[${host}]` : host}:${port}`],
    labels: { job, instance: name, domain },
  }));
}

/** Management ports of processes by their names. */
export function managementPorts(model: VnfModel): ReadonlyMap<string, number> {
  return new Map(
    model.ports.filter(({ name }) => name === "management").map(({ process, port }) => [process, port]),
  );
}

/**
 * The nodes of pools, each at its first address and usual management port. `beside`: processes that run on the members of another
 * pool, as the model has it (ralf and homer with homestead).
 */
export function nodesOfPools(
  { pools }: PoolsFile,
  model: VnfModel,
  beside: readonly string[] = [],
): MonitoredNode[] {
  const ports = managementPorts(model);
  return pools.flatMap((pool) => {
    const here = model.vdus.find(({ name }) => name === pool.name)?.processes ?? [];
    const jobs = [pool.name, ...beside.filter((process) => process !== pool.name && here.includes(process))];
    return pool.members.flatMap(({ name, addresses: [host] }) =>
      jobs.flatMap((job) => {
        const port = ports.get(job);
        if (port === undefined || host === undefined) return [];
        return [{ job, name: job === pool.name ? name : `${job}@${name}`, host, port }];
      }),
    );
  });
}
