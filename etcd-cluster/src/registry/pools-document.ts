import type { PoolsFile, PoolsFileInput } from "@ims/runtime";
import type { MemberRecord } from "./member-record.ts";

/** What does not depend on who is there: the home domain, the ports by which each pool is found, and its members at the other site. */
export interface PoolsPlan {
  readonly domain: string;
  readonly pools: readonly {
    readonly name: string;
    readonly services: PoolsFileInput["pools"][number]["services"];
    /** Those that name a site are not of this registry, and stay; the others do not count. */
    readonly members?: PoolsFile["pools"][number]["members"];
  }[];
}

/**
 * The pools file for the members that are registered, in order of their numbers. A pool of which nobody is left keeps those of
 * `before`: an empty pool helps nobody, and a registry that was lost must not take the nodes along.
 */
export function poolsDocument(
  plan: PoolsPlan,
  members: readonly MemberRecord[],
  before: PoolsFile | undefined,
): PoolsFileInput {
  return {
    version: 1,
    domain: plan.domain,
    pools: plan.pools.map(({ name, services, members: planned = [] }) => {
      const elsewhere = planned.filter(({ site }) => site !== undefined);
      const own = members.filter(({ pool }) => pool === name).sort((a, b) => byNumber(a.name, b.name));
      const known = before?.pools.find((pool) => pool.name === name)?.members ?? [];
      const here = own.length > 0 ? own.map(entryOf) : known.filter(({ site }) => site === undefined);
      return { name, services, members: [...here, ...elsewhere] };
    }),
  };
}

function entryOf({
  name,
  addresses,
  management,
  state,
  weight,
  ports,
}: MemberRecord): PoolsFileInput["pools"][number]["members"][number] {
  return {
    name,
    addresses: [...addresses],
    ...(management === undefined ? {} : { management }),
    ...(state === "draining" ? { draining: true } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(ports === undefined ? {} : { ports }),
  };
}

function byNumber(one: string, other: string): number {
  const number = (name: string): number => Number(/-([0-9]+)$/.exec(name)?.[1] ?? 0);
  return number(one) - number(other) || (one < other ? -1 : one > other ? 1 : 0);
}
