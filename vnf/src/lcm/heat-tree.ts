import {
  actionOf,
  nestedOf,
  type StackRef,
  type StackResource,
  stackIdOf,
  statusOf,
} from "../openstack/heat.ts";

/** A member as Heat has it. */
export interface HeatMember {
  readonly pool: string;
  readonly index: number;
  readonly name: string;
  /** IN_PROGRESS, COMPLETE, FAILED. */
  readonly status: string;
  readonly reason: string;
  readonly serverId: string | undefined;
  /** The stack of the member. */
  readonly stack: StackRef | undefined;
  readonly resources: readonly StackResource[];
}

/** Members of the pools, from a list of resources two levels deep. */
export function membersIn(
  resources: readonly StackResource[],
  top: string,
  pools: readonly string[],
): HeatMember[] {
  const inStack = new Map<string, StackResource[]>();
  for (const resource of resources) {
    const stack = stackIdOf(resource) ?? "";
    const all = inStack.get(stack) ?? [];
    inStack.set(stack, all);
    all.push(resource);
  }
  const members: HeatMember[] = [];
  for (const group of inStack.get(top) ?? []) {
    if (!pools.includes(group.resource_name)) continue;
    const pool = group.resource_name;
    for (const member of inStack.get(group.physical_resource_id ?? "?") ?? []) {
      const index = Number(member.resource_name);
      const own = inStack.get(member.physical_resource_id ?? "?") ?? [];
      const server = own.find(({ resource_type }) => resource_type === "OS::Nova::Server");
      const failure = own.find((one) => statusOf(one.resource_status) === "FAILED");
      members.push({
        pool,
        index,
        name: `${pool}-${index}`,
        // INIT_COMPLETE: planned, nothing is made yet.
        status:
          actionOf(member.resource_status) === "INIT" ? "IN_PROGRESS" : statusOf(member.resource_status),
        reason: failure?.resource_status_reason ?? member.resource_status_reason ?? "",
        serverId:
          server?.physical_resource_id === "" ? undefined : (server?.physical_resource_id ?? undefined),
        stack: nestedOf(member),
        resources: own,
      });
    }
  }
  return members.sort((a, b) => pools.indexOf(a.pool) - pools.indexOf(b.pool) || a.index - b.index);
}

/** What failed, the innermost resources only, each once; at most ten. */
export function failuresIn(resources: readonly StackResource[]): string[] {
  const failed = resources.filter((one) => statusOf(one.resource_status) === "FAILED");
  const inner = failed.filter((one) => {
    const nested = nestedOf(one)?.id;
    return nested === undefined || !failed.some((other) => stackIdOf(other) === nested);
  });
  const lines = new Map<string, string>();
  for (const one of inner) {
    const where = one.parent_resource ? `${one.parent_resource}.${one.resource_name}` : one.resource_name;
    lines.set(where, `${where}: ${(one.resource_status_reason ?? one.resource_status).replace(/\s+/g, " ")}`);
  }
  const all = [...lines.values()].sort();
  return all.length > 10 ? [...all.slice(0, 10), `and ${all.length - 10} more`] : all;
}

export interface PoolCount {
  readonly pool: string;
  readonly ready: number;
  readonly of: number;
}

/** "bono 3 of 7, sprout 7 of 7": members that are complete, of those there should be. */
export function poolCounts(
  members: readonly HeatMember[],
  pools: readonly { readonly pool: string; readonly size: number }[],
): readonly PoolCount[] {
  return pools.map(({ pool, size }) => {
    const own = members.filter((one) => one.pool === pool);
    const ready = own.filter(({ status }) => status === "COMPLETE").length;
    return { pool, ready, of: Math.max(size, own.length) };
  });
}
