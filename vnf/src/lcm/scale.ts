import type { VnfModel } from "../model/model.ts";
import { cellMap, hostCap, type Tolerance } from "../placement/cells.ts";
import { scalingSteps } from "../placement/steps.ts";
import { zoneMap } from "../placement/zones.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";
import type { PoolChange, PoolState, VnfDriver, VnfInstance } from "./vnf-driver.ts";

export type ScalePlanning =
  | { readonly kind: "steps"; readonly pool: PoolState; readonly changes: readonly PoolChange[] }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string };

/** What has to be done one after the other to give a pool another size; nothing: it has it. */
export function planScaling(
  instance: VnfInstance,
  model: VnfModel,
  name: string,
  size: number,
): ScalePlanning {
  const pool = instance.pools.find((one) => one.pool === name);
  if (pool === undefined)
    return refused(
      `${instance.name} has no pool ${name}`,
      `it has ${instance.pools.map((one) => one.pool).join(", ")}`,
    );
  const vdu = model.vdus.find((one) => one.name === name);
  const most = Math.min(vdu?.pool.max ?? Number.POSITIVE_INFINITY, pool.zoneMap.length, SIZE_MAX);
  if (!Number.isInteger(size) || size < (vdu?.pool.min ?? 1) || size > most)
    return refused(`${name} cannot have ${size} members`, `choose ${vdu?.pool.min ?? 1} to ${most}`);
  const { share } = pool;
  const members = vdu?.tolerated.members;
  const tolerance: Tolerance = members === undefined ? { share } : { share, members };
  const longest = Math.max(size, pool.size);
  const planned = cellMap(tolerance, longest);
  const oneCell =
    pool.cellMap.slice(0, longest).every((cell) => cell === 0) && pool.cellMap.length >= longest;
  const inUse = pool.cellMap.slice(0, Math.min(longest, pool.cellMap.length));
  if (instance.guaranteed && !oneCell && inUse.some((cell, at) => cell !== planned[at]))
    return refused(
      `the cells of ${name} are not those that a share of 1/${share.denominator} needs`,
      "the order in which its members may come and go is not known: scale it with openstack stack update",
    );
  if (instance.guaranteed && !oneCell) {
    const wrong = misaligned(size, pool, planned);
    if (wrong !== undefined) return refused(`${name} cannot stay at ${size} members`, wrong);
  }
  const sizes =
    size === pool.size
      ? []
      : oneCell || !instance.guaranteed
        ? [size]
        : scalingSteps(tolerance, pool.size, size);
  // A map grows and is never cut: a cell that is taken from the map is a server group that Heat would delete.
  const map = [...pool.cellMap, ...planned.slice(pool.cellMap.length)];
  const zones =
    pool.zoneMap.length >= longest ? pool.zoneMap : zoneMap(map.slice(0, longest), pool.zones.length);
  const needed = (at: number): number => Math.max(1, ...map.slice(0, at).map((cell) => cell + 1));
  const changes = sizes.map((at) => ({
    pool: name,
    size: at,
    // More than the cells need: someone wanted it so.
    spare:
      pool.spare > needed(pool.size) && pool.spare < at
        ? Math.max(pool.spare, needed(at))
        : spareOf(pool, needed(at)),
    cellMap: map,
    zoneMap: zones,
  }));
  return { kind: "steps", pool, changes };
}

/** Members the addresses of the templates are for. */
const SIZE_MAX = 64;

function spareOf(pool: PoolState, needed: number): number {
  return pool.spare === 0 ? 0 : needed;
}

/** The templates take sizes of one less than a multiple of the members per share. */
function misaligned(size: number, { share }: PoolState, planned: readonly number[]): string | undefined {
  const q = share.denominator;
  const cells = new Set(planned.slice(0, size)).size;
  if ((size + 1) % q === 0 || cells <= 1) {
    return cells > hostCap({ share }, size) ? "its cells would be more than the share allows" : undefined;
  }
  const below = Math.floor((size + 1) / q) * q - 1;
  return `the sizes at a share of 1/${q} are ${below} and ${below + q} here`;
}

function refused(reason: string, remedy: string): ScalePlanning {
  return { kind: "refused", reason, remedy };
}

export interface ScaleOptions {
  /** Members that leave are taken out of service before; default true. */
  readonly drain?: boolean;
  readonly joinToken?: string;
}

/**
 * Brings a pool to a size in aligned steps. Before each step the VNF is read anew: when its size is not what the last
 * step left, someone else scales, too, and nothing more is done.
 */
export async function scalePool(
  driver: VnfDriver,
  model: VnfModel,
  { name, pool, size }: { readonly name: string; readonly pool: string; readonly size: number },
  run: Run,
  { drain = true, joinToken }: ScaleOptions = {},
): Promise<Outcome> {
  const again = [`tidewater vnf scale ${name} ${pool}=${size} again goes on from here`];
  const first = await driver.find(name, run.signal);
  if (first === undefined)
    return failed(`there is no ${name}`, [], [`tidewater vnf instantiate ${name} ...`]);
  const planning = planScaling(first, model, pool, size);
  if (planning.kind === "refused") return failed(planning.reason, [], [planning.remedy]);
  const { changes } = planning;
  if (changes.length === 0 && first.state === "ready")
    return done(`${pool} has ${size} members already`, false);
  const unfinished = first.state !== "ready";
  if (unfinished && (changes.length === 0 || (await mustEndFirst(driver, first, planning.pool, size, run)))) {
    // The last update failed or goes on: asked again, Heat completes it.
    run.progress(`${pool}: what was begun with ${planning.pool.size} members is ended first`);
    const step = await driver.scale(first, same(planning.pool, joinToken), run);
    if (step.kind === "failed") return { ...step, next: [...again, ...step.next.slice(1)] };
    if (changes.length === 0) return step;
  }
  run.progress(`${pool}: ${[planning.pool.size, ...changes.map((change) => change.size)].join(" > ")}`);
  let before = planning.pool.size;
  for (const change of changes) {
    const instance = await driver.find(name, run.signal);
    const now = instance?.pools.find((one) => one.pool === pool);
    if (instance === undefined || now === undefined)
      return failed(`${name} was deleted meanwhile`, [], again);
    if (now.size !== before)
      return failed(
        `${pool} has ${now.size} members, not the ${before} this step begins at: someone else scales it`,
        [],
        again,
      );
    run.progress(`${pool}: ${before} > ${change.size}`);
    if (change.size < before && drain) {
      const leaving = (await driver.members(instance, run.signal)).filter(
        (member) => member.pool === pool && member.index >= change.size,
      );
      // What a store holds goes to those that stay, so two never leave at once; the last comes first.
      const turns = storesIn(model, pool) ? leaving.toReversed().map((one) => [one]) : [leaving];
      for (const turn of turns) {
        const drained = await driver.drain(instance, turn, run);
        if (drained.kind === "failed") return drained;
      }
    }
    const step = await driver.scale(
      instance,
      joinToken === undefined ? change : { ...change, joinToken },
      run,
    );
    if (step.kind === "failed") return { ...step, next: [...again, ...step.next.slice(1)] };
    before = change.size;
  }
  return done(`${pool} has ${size} members`);
}

/**
 * What failed half way has members between two aligned sizes. Another step from there could bring more of them to a host than its share: growth
 * always ends first, and so does a pool that still has members it was to lose. Growth that found no room may be taken back.
 */
async function mustEndFirst(
  driver: VnfDriver,
  instance: VnfInstance,
  { pool, size }: PoolState,
  to: number,
  run: Run,
): Promise<boolean> {
  // A VNF manager tells the new size when a step has ended, and takes no other before.
  if (driver.via === "sol003") return false;
  if (to >= size || instance.state === "busy") return true;
  const members = await driver.members(instance, run.signal);
  return members.some((member) => member.pool === pool && member.index >= size);
}

const STORES = new Set(["memcached", "cassandra", "etcd"]);

function storesIn(model: VnfModel, pool: string): boolean {
  return model.vdus.find(({ name }) => name === pool)?.processes.some((one) => STORES.has(one)) === true;
}

function same(pool: PoolState, joinToken: string | undefined): PoolChange {
  const { size, spare, cellMap: cells, zoneMap: zones } = pool;
  return {
    pool: pool.pool,
    size,
    spare,
    cellMap: cells,
    zoneMap: zones,
    ...(joinToken === undefined ? {} : { joinToken }),
  };
}
