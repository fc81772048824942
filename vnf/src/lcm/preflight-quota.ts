import type { VnfModel } from "../model/model.ts";
import { securityRules } from "../model/security-rules.ts";
import type { Flavor, Limit } from "../openstack/nova.ts";
import { type Check, ok, refuse } from "./check.ts";
import type { PoolState } from "./vnf-driver.ts";

/** Ports of a member of each pool, security groups and networks: those of heat-templates. */
export function checkQuotas(
  pools: readonly PoolState[],
  flavors: readonly Flavor[],
  parameters: ReadonlyMap<string, string>,
  model: VnfModel,
  compute: ReadonlyMap<string, Limit>,
  network: ReadonlyMap<string, Limit>,
  storage: ReadonlyMap<string, Limit>,
  checks: Check[],
): void {
  const flavorOf = ({ pool }: PoolState): Flavor | undefined => {
    const wanted = parameters.get(`${pool}_flavor`);
    return flavors.find(({ name, id }) => name === wanted || id === wanted);
  };
  const total = (of: (pool: PoolState) => number): number => pools.reduce((sum, pool) => sum + of(pool), 0);
  const groups = (pool: PoolState): number => Math.max(-1, ...pool.cellMap) + 1;
  const largest = Math.max(
    0,
    ...pools.flatMap((pool) => {
      const cells = new Map<number, number>();
      for (const cell of pool.cellMap.slice(0, pool.size)) cells.set(cell, (cells.get(cell) ?? 0) + 1);
      return [...cells.values()];
    }),
  );
  const made = ["access", "mw", "core", "management"].filter(
    (one) => parameters.get(`${one}_network`) === "",
  );
  const there = new Set(pools.map(({ pool }) => pool));
  const left = model.vdus.filter(({ name, pool }) => pool.default === 0 && !there.has(name));
  const groupsMade = [...PORTS].reduce(
    (sum, [pool, ports]) => (left.some(({ name }) => name === pool) ? sum : sum + ports),
    0,
  );
  // Neutron makes the group "default" of a project with the first thing in it.
  const isNew = network.get("security_group")?.used === 0;
  const routers =
    (parameters.get("external_network") ?? "") === ""
      ? 0
      : made.filter((one) => one === "access" || one === "management").length;
  const volume = volumeOf(parameters);
  const stores = volume === 0 ? 0 : total(({ pool, size }) => (pool === "vellum" ? size : 0));
  const needed: readonly [string, ReadonlyMap<string, Limit>, number][] = [
    ["instances", compute, total(({ size }) => size)],
    ["cores", compute, total((pool) => (flavorOf(pool)?.vcpus ?? 0) * pool.size)],
    ["ram", compute, total((pool) => (flavorOf(pool)?.ram ?? 0) * pool.size)],
    ["server_groups", compute, total(groups)],
    ["server_group_members", compute, largest],
    ["port", network, total(({ pool, size }) => size * (PORTS.get(pool) ?? 1))],
    ["security_group", network, groupsMade + (isNew ? 1 : 0)],
    [
      "security_group_rule",
      network,
      securityRules(model, there).length + groupsMade * OWN_RULES + (isNew ? 4 : 0),
    ],
    ["router", network, routers],
    ["network", network, made.length],
    ["subnet", network, made.length],
    ["volumes", storage, stores],
    ["gigabytes", storage, stores * volume],
  ];
  for (const [name, limits, wanted] of needed) {
    const limit = limits.get(name);
    if (limit === undefined) continue;
    const free = limit.most < 0 ? Number.POSITIVE_INFINITY : limit.most - limit.used;
    checks.push(
      wanted <= free
        ? ok("quota", `${name}: ${wanted} of ${limit.most < 0 ? "any number" : `${free} left`}`)
        : refuse(
            "quota",
            `${name}: ${wanted} needed, ${Math.max(0, free)} left of ${limit.most}`,
            `have the quota raised to ${limit.used + wanted} (openstack quota set ${OPTIONS.get(name) ?? `--${name.replaceAll("_", "-")}`} ${limit.used + wanted} <project>, for an administrator), or free ${wanted - Math.max(0, free)}`,
          ),
    );
  }
}

/** GiB of a data volume; 0: vellums have none. */
export function volumeOf(parameters: ReadonlyMap<string, string>): number {
  return Number(parameters.get("vellum_volume") ?? 0);
}

/** What a group has by itself: everything may go out, over IPv4 and IPv6. */
const OWN_RULES = 2;

/** Options of the openstack client that are not called as the quota is. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ["port", "--ports"],
  ["network", "--networks"],
  ["subnet", "--subnets"],
  ["router", "--routers"],
  ["security_group", "--secgroups"],
  ["security_group_rule", "--secgroup-rules"],
]);

/** Interfaces of a member; a security group each. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ["bono", 2],
  ["sprout", 3],
  ["homestead", 2],
  ["vellum", 2],
  ["ellis", 2],
]);
