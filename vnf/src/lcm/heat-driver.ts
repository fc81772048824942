import type { Cinder } from "../openstack/cinder.ts";
import type { Glance } from "../openstack/glance.ts";
import type { Heat, Stack, StackResource } from "../openstack/heat.ts";
import type { Neutron } from "../openstack/neutron.ts";
import type { Nova, Server } from "../openstack/nova.ts";
import type { Pace } from "../openstack/pace.ts";
import type { Deployment } from "./deployment.ts";
import { switchServers } from "./drain-servers.ts";
import { changeStack, existing, minutes, userDataKept } from "./heat-change.ts";
import { healByHeat } from "./heat-heal.ts";
import { instanceOf, isDeleting, poolsOf } from "./heat-instance.ts";
import { instantiateByHeat } from "./heat-instantiate.ts";
import { terminateByHeat } from "./heat-terminate.ts";
import { type HeatMember, membersIn } from "./heat-tree.ts";
import { failed, type Outcome, orFailed, type Run } from "./outcome.ts";
import type { PoolChange, Upgrade, VnfDriver, VnfInstance, VnfMember } from "./vnf-driver.ts";

export interface HeatDriverModules {
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly glance: Glance;
}

interface Known {
  readonly stack: string;
  readonly listed: readonly HeatMember[];
  /** Members by their servers, as far as they have ever been listed. */
  readonly byServer: ReadonlyMap<string, HeatMember>;
  readonly servers: ReadonlySet<string>;
  readonly asked: number;
}

const KNOWN_MS = 10_000;
const AGAIN = "the same command again goes on from here";

/** Operations on a VNF straight through Heat: a VNF is a stack made from ims.yaml. */
export class HeatDriver implements VnfDriver {
  readonly via = "heat";
  readonly #modules: HeatDriverModules;
  #known: Known | undefined;

  constructor(modules: HeatDriverModules) {
    this.#modules = modules;
  }

  async find(name: string, signal?: AbortSignal): Promise<VnfInstance | undefined> {
    const stack = await this.#modules.heat.stack(name, signal);
    return stack === undefined ? undefined : instanceOf(stack);
  }

  async members(instance: VnfInstance, signal?: AbortSignal): Promise<VnfMember[]> {
    const { heat, nova } = this.#modules;
    const resources = (await heat.resources(instance, 2, signal)) ?? [];
    return membersOf(instance, resources, await nova.servers(signal));
  }

  /**
   * Heat is asked only when Nova has servers that it was not asked about: listing a stack is costly for it. A list that is made while
   * Heat changes the stack may lack members: who has been listed once counts while Nova has the server.
   */
  async whereabouts(instance: VnfInstance, pace: Pace, signal?: AbortSignal): Promise<VnfMember[]> {
    const { heat, nova } = this.#modules;
    const servers = await nova.servers(signal);
    let known = this.#known;
    const isNew = (id: string): boolean => known?.servers.has(id) !== true;
    if (
      known?.stack !== instance.id ||
      servers.some(({ id }) => isNew(id)) ||
      // A server is in Nova shortly before Heat knows that it is its own.
      pace.now() - known.asked > KNOWN_MS
    ) {
      const resources = (await heat.resources(instance, 2, signal)) ?? [];
      const listed = membersIn(resources, instance.id, namesOf(instance));
      const before = known?.stack === instance.id ? known.byServer : new Map<string, HeatMember>();
      const there = new Set(servers.map(({ id }) => id));
      known = {
        stack: instance.id,
        listed,
        byServer: new Map([
          ...[...before].filter(([id]) => there.has(id)),
          ...listed.flatMap((one): [string, HeatMember][] =>
            one.serverId === undefined ? [] : [[one.serverId, one]],
          ),
        ]),
        servers: new Set(servers.map(({ id }) => id)),
        asked: pace.now(),
      };
      this.#known = known;
    }
    const { listed, byServer } = known;
    const byId = new Map(servers.map((server) => [server.id, server]));
    const placed = [...byServer.values()].filter(({ serverId = "" }) => byId.has(serverId));
    const without = listed.filter(
      ({ serverId = "", name }) => !byId.has(serverId) && !placed.some((one) => one.name === name),
    );
    return [...placed, ...without].map((member) => memberOf(member, byId.get(member.serverId ?? "")));
  }

  instantiate(name: string, deployment: Deployment, run: Run): Promise<Outcome> {
    const pools = poolsOf(deployment.parameters);
    return this.#guarded(
      name,
      () => instantiateByHeat(this.#modules.heat, name, deployment, run),
      [AGAIN, `tidewater vnf terminate ${name} removes all of it`],
      run,
      pools,
    );
  }

  scale(instance: VnfInstance, change: PoolChange, run: Run): Promise<Outcome> {
    const { pool, size, spare, cellMap, zoneMap, joinToken } = change;
    const parameters = {
      [`${pool}_count`]: size,
      [`${pool}_spare`]: spare,
      [`${pool}_cell_map`]: cellMap.join(","),
      [`${pool}_zone_map`]: zoneMap.join(","),
      // Nothing is rebuilt by another size: members whose lists change need not wait for each other.
      update_pause: 0,
      ...userDataKept(instance.state === "ready"),
      ...(joinToken === undefined ? {} : { join_token: joinToken }),
    };
    const pools = instance.pools.map((one) => (one.pool === pool ? { pool, size } : one));
    const sizeIn = (of: VnfInstance | undefined) => of?.pools.find((one) => one.pool === pool)?.size;
    const overtaken = (now: Stack): string | undefined =>
      sizeIn(instanceOf(now)) === sizeIn(instance)
        ? undefined
        : `${pool} has ${sizeIn(instanceOf(now))} members, not the ${sizeIn(instance)} this step begins at: someone else scales it`;
    return this.#change(instance, parameters, `${pool} has ${size} members`, run, pools, overtaken);
  }

  upgrade(instance: VnfInstance, { image, pauseSeconds, joinToken }: Upgrade, run: Run): Promise<Outcome> {
    const parameters = {
      image,
      update_pause: pauseSeconds,
      // A rebuilt member reads its user data again, so it needs a token that is still good.
      ...(joinToken === undefined ? {} : { join_token: joinToken, user_data_update: "REPLACE" }),
    };
    return this.#change(instance, parameters, `${instance.name} runs image ${image}`, run, instance.pools);
  }

  drain(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    return this.#guarded(
      instance.name,
      () => switchServers(this.#modules.nova, members, "SHUTOFF", run),
      [AGAIN, `tidewater vnf drain ${instance.name} --undo brings members back`],
      run,
      instance.pools,
    );
  }

  resume(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    return this.#guarded(
      instance.name,
      () => switchServers(this.#modules.nova, members, "ACTIVE", run),
      [AGAIN],
      run,
      instance.pools,
    );
  }

  heal(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    const { heat } = this.#modules;
    return this.#guarded(
      instance.name,
      async () => {
        const stack = await heat.stack(instance, run.signal);
        if (stack === undefined) return failed(`${instance.name} is gone`);
        const resources = (await heat.resources(instance, 2, run.signal)) ?? [];
        const pools = instance.pools.map(({ pool }) => pool);
        const own = membersIn(resources, instance.id, pools).filter(({ name }) =>
          members.some((member) => member.name === name),
        );
        return healByHeat(this.#modules, stack, instance.pools, own, run);
      },
      [AGAIN],
      run,
      instance.pools,
    );
  }

  terminate(name: string, run: Run): Promise<Outcome> {
    return this.#guarded(name, () => terminateByHeat(this.#modules, name, run), [AGAIN], run, []);
  }

  #change(
    instance: VnfInstance,
    parameters: Readonly<Record<string, unknown>>,
    said: string,
    run: Run,
    pools: readonly { readonly pool: string; readonly size: number }[],
    overtaken?: (now: Stack) => string | undefined,
  ): Promise<Outcome> {
    const { heat } = this.#modules;
    const next = [AGAIN, `tidewater vnf status ${instance.name} tells more`];
    return this.#guarded(
      instance.name,
      async () => {
        const stack = await heat.stack(instance, run.signal);
        if (stack === undefined || isDeleting(instance)) return failed(`${instance.name} is gone`, [], next);
        const submit = () =>
          heat.patch(
            { name: instance.name, id: instance.id },
            parameters,
            minutes(run.timeoutMs),
            run.signal,
          );
        // Heat hides a token.
        const shown = Object.entries(parameters).filter(([name]) => name !== "join_token");
        const satisfied = (now: Stack): boolean => {
          const values = instanceOf(now)?.parameters;
          return shown.every(([name, value]) => values?.get(name)?.replace(/[[\]" ]/g, "") === String(value));
        };
        return changeStack(
          heat,
          {
            ...{ stack, pools, submit, said, satisfied, clearHooks: true, next },
            ...(overtaken === undefined ? {} : { overtaken }),
          },
          run,
        );
      },
      next,
      run,
      pools,
    );
  }

  #guarded(
    name: string,
    operation: () => Promise<Outcome>,
    next: readonly string[],
    run: Run,
    pools: readonly { readonly pool: string; readonly size: number }[],
  ): Promise<Outcome> {
    const { heat } = this.#modules;
    const exists = async (): Promise<readonly string[]> => {
      const stack: Stack | undefined = await heat.stack(name);
      return stack === undefined ? [] : existing(heat, stack, pools);
    };
    return orFailed(operation, exists, next, run.signal);
  }
}

function namesOf({ pools }: VnfInstance): string[] {
  return pools.map(({ pool }) => pool);
}

function membersOf(
  instance: VnfInstance,
  resources: readonly StackResource[],
  all: readonly Server[],
): VnfMember[] {
  const servers = new Map(all.map((server) => [server.id, server]));
  return membersIn(resources, instance.id, namesOf(instance)).map((member) =>
    memberOf(member, servers.get(member.serverId ?? "")),
  );
}

const STATES = new Map<string, VnfMember["state"]>([
  ["COMPLETE", "ready"],
  ["IN_PROGRESS", "busy"],
  ["FAILED", "failed"],
]);

function memberOf(member: HeatMember, server: Server | undefined): VnfMember {
  const { pool, index, name, status, reason, serverId } = member;
  const broken = server?.status === "ERROR" || (server === undefined && status === "COMPLETE");
  return {
    pool,
    index,
    name,
    state: broken ? "failed" : (STATES.get(status) ?? "busy"),
    reason:
      server?.fault?.message ??
      (server === undefined && serverId !== undefined ? "its server is gone" : reason),
    addresses: Object.values(server?.addresses ?? {}).flatMap((all) => all.map(({ addr }) => addr)),
    ...(server === undefined ? {} : { serverStatus: server.status }),
    ...(serverId === undefined ? {} : { serverId }),
    ...(server === undefined || server.hostId === "" ? {} : { hostId: server.hostId }),
    ...(server?.host_status === undefined ? {} : { hostStatus: server.host_status }),
    ...(server?.["OS-EXT-AZ:availability_zone"] ? { zone: server["OS-EXT-AZ:availability_zone"] } : {}),
    ...(server?.image ? { image: server.image.id } : {}),
  };
}
