/** Pools of nodes in the order they start: a node's next hop is there before it. */
export const POOLS = ["homestead", "sprout", "bono"] as const;
export type PoolName = (typeof POOLS)[number];

/** What is started as one process: a node, or a worker, which is a bono and a sprout in one. In the order they start. */
export const UNITS = [...POOLS, "worker"] as const;
export type UnitName = (typeof UNITS)[number];
/** The nodes in the process of a unit; the last one says last that it is ready. */
export const NODES_OF: Readonly<Record<UnitName, readonly PoolName[]>> = {
  homestead: ["homestead"],
  sprout: ["sprout"],
  bono: ["bono"],
  worker: ["sprout", "bono"],
};

/** Stores that a pool shares, in the order they start. */
export const STORES = ["memcached", "cassandra"] as const;
export type StoreName = (typeof STORES)[number];

/** How many members each pool has. */
export type PoolCounts = Readonly<Record<PoolName, number>>;
/** How many processes there are of each unit. */
export type UnitCounts = Readonly<Record<UnitName, number>>;
/** How many processes each store has; 0: it is not used. */
export type StoreCounts = Readonly<Record<StoreName, number>>;

/** More processors than these are better served by more machines. */
export const MAX_WORKERS = 64;
/** Addresses end in the number of the member. */
export const MAX_MEMBERS = 250;
const DEFAULT_PROCESSES: StoreCounts = { memcached: 2, cassandra: 1 };

export type Counts<Name extends string> =
  | { readonly kind: "counts"; readonly counts: ReadonlyMap<Name, number> }
  | { readonly kind: "wrong"; readonly problem: string };

/** Reads "bono=2,sprout=3". */
export function poolCountsOf(text: string): Counts<PoolName> {
  return countsOf(text, POOLS, () => undefined);
}

/** What can be brought to another size while it runs. */
export const SCALABLE = [...POOLS, "memcached"] as const;
export type Scalable = (typeof SCALABLE)[number];

/** Reads "sprout=3,memcached=3". */
export function scaleCountsOf(text: string): Counts<Scalable> {
  return countsOf(text, SCALABLE, () => undefined);
}

/** Reads "memcached,cassandra=3". */
export function storeCountsOf(text: string): Counts<StoreName> {
  return countsOf(text, STORES, (name) => DEFAULT_PROCESSES[name]);
}

function countsOf<Name extends string>(
  text: string,
  names: readonly Name[],
  usual: (name: Name) => number | undefined,
): Counts<Name> {
  const counts = new Map<Name, number>();
  for (const part of text.split(",").map((one) => one.trim())) {
    const [, word, digits] = /^([a-z]+)(?:=([0-9]{1,3}))?$/.exec(part) ?? [];
    const name = names.find((one) => one === word);
    const count = name === undefined || digits !== undefined ? Number(digits) : usual(name);
    if (name === undefined || count === undefined || !(count >= 1 && count <= MAX_MEMBERS))
      return {
        kind: "wrong",
        problem: `"${part}" is none of ${names.map((one) => `${one}=1..${MAX_MEMBERS}`).join(", ")}.`,
      };
    if (counts.has(name)) return { kind: "wrong", problem: `${name} stands there twice.` };
    counts.set(name, count);
  }
  return { kind: "counts", counts };
}

/** Pools that were not asked for have one member. */
export function withDefaults(pools: ReadonlyMap<PoolName, number>): PoolCounts {
  const of = (name: PoolName): number => pools.get(name) ?? 1;
  return { homestead: of("homestead"), sprout: of("sprout"), bono: of("bono") };
}

/** The processes of pools that were asked for, and with workers those instead of single bonos and sprouts. */
export function unitsOf(pools: PoolCounts, workers = 0): UnitCounts {
  return workers === 0 ? { ...pools, worker: 0 } : { ...pools, sprout: 0, bono: 0, worker: workers };
}

/** Why these pools cannot share what they must; undefined when they can. */
export function sharingProblem(pools: PoolCounts, stores: StoreCounts): string | undefined {
  if (pools.homestead > 1 && stores.cassandra === 0)
    return `homestead=${pools.homestead} needs --stores cassandra: without it every homestead has subscribers of its own`;
  if (pools.sprout > 1 && stores.memcached === 0 && stores.cassandra === 0)
    return `sprout=${pools.sprout} needs --stores memcached, cassandra or both: without them every sprout has registrations of its own`;
  return undefined;
}

/** Why there cannot be so many workers; undefined when there can. */
export function workersProblem(
  count: number,
  {
    pools,
    stores,
    set,
  }: {
    readonly pools: PoolCounts;
    readonly stores: StoreCounts;
    readonly set: readonly { readonly node: string; readonly option: string }[];
  },
): string | undefined {
  if (pools.bono > 1 || pools.sprout > 1)
    return "--workers says how many bonos and sprouts there are: --pools goes with it for homestead only";
  if (count > 1 && stores.memcached === 0 && stores.cassandra === 0)
    return `--workers ${count} needs --stores memcached, cassandra or both: without them every worker has registrations of its own`;
  if (set.some(({ node, option }) => node.startsWith("bono") && option === "ibcf-peers-file"))
    return "--workers goes without an IBCF: a peer is one far end, whose answers one worker gets; run a bono of its own for it";
  return sharingProblem({ ...pools, sprout: 1 }, stores);
}
