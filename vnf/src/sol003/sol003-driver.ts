import { switchServers } from "../lcm/drain-servers.ts";
import { done, failed, type Outcome, orFailed, type Run } from "../lcm/outcome.ts";
import { removeServers } from "../lcm/remove-servers.ts";
import type { PoolChange, VnfDriver, VnfInstance, VnfMember } from "../lcm/vnf-driver.ts";
import type { VnfModel } from "../model/model.ts";
import type { Nova } from "../openstack/nova.ts";
import type { Pace } from "../openstack/pace.ts";
import { deploymentFlavour, scaleLevel } from "../sol001/deployment-flavour.ts";
import type { VnfdFacts } from "../sol001/vnfd-facts.ts";
import { healSol003, scaleSol003, terminateSol003 } from "./operations.ts";
import type { Sol003Instance } from "./schemas.ts";
import { membersOfInstance, stateOfInstance } from "./sol003-instance.ts";
import type { Vnfm } from "./vnfm.ts";

export interface Sol003DriverModules {
  readonly vnfm: Vnfm;
  /** Where the members are, and whether they run, only the cloud knows. */
  readonly nova: Nova;
  readonly model: VnfModel;
  readonly facts: VnfdFacts;
  /** s that a graceful termination has; 0: forceful. */
  readonly gracefulSeconds?: number;
}

const AGAIN = "the same command again goes on";

/** Operations on a VNF through a VNF manager. Sizes are those of the package's scale levels. */
export class Sol003Driver implements VnfDriver {
  readonly via = "sol003";
  readonly #modules: Sol003DriverModules;

  constructor(modules: Sol003DriverModules) {
    this.#modules = modules;
  }

  async find(name: string, signal?: AbortSignal): Promise<VnfInstance | undefined> {
    const { vnfm, model, facts } = this.#modules;
    const found = (await vnfm.instances(signal)).find(({ vnfInstanceName }) => vnfInstanceName === name);
    if (found === undefined) return undefined;
    const instance = await vnfm.instance(found.id, signal);
    const operations = (await vnfm.operations(signal)).filter(
      ({ vnfInstanceId }) => vnfInstanceId === found.id,
    );
    return stateOfInstance(name, instance, operations, { model, facts });
  }

  async members({ id }: VnfInstance, signal?: AbortSignal): Promise<VnfMember[]> {
    const { vnfm, nova } = this.#modules;
    return membersOfInstance(await vnfm.instance(id, signal), await nova.servers(signal));
  }

  whereabouts(instance: VnfInstance, _: Pace, signal?: AbortSignal): Promise<VnfMember[]> {
    return this.members(instance, signal);
  }

  async scale(instance: VnfInstance, { pool, size }: PoolChange, run: Run): Promise<Outcome> {
    const { vnfm, model, facts } = this.#modules;
    const now = await vnfm.instance(instance.id, run.signal);
    const flavour = facts.flavours.find(({ name }) => name === now.instantiatedVnfInfo?.flavourId);
    if (flavour === undefined) return failed(`${instance.name} is of a flavour that the model does not have`);
    const scaling = deploymentFlavour(model, flavour).pools.find(({ vdu }) => vdu.name === pool);
    const level = scaling === undefined ? -1 : scaleLevel(scaling, size);
    if (level < 0)
      return failed(
        `${pool} of ${size}: the flavour ${flavour.name} has no such scale level`,
        [],
        [`sizes of the flavour: ${scaling?.sizes.join(", ") ?? "none"}`],
      );
    const outcome = await scaleSol003(vnfm, instance.name, pool, level, run);
    return outcome.kind === "done" ? done(`${pool} has ${size} members`, outcome.changed) : outcome;
  }

  drain(_: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    return this.#switch(members, "SHUTOFF", run);
  }

  resume(_: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    return this.#switch(members, "ACTIVE", run);
  }

  async heal(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome> {
    const { vnfm, nova } = this.#modules;
    const now: Sol003Instance = await vnfm.instance(instance.id, run.signal);
    const { vnfcInfo = [], vnfcResourceInfo = [] } = now.instantiatedVnfInfo ?? {};
    const vnfcs = members.map(({ name, serverId }) => {
      const resource = vnfcResourceInfo.find((one) => one.computeResource.resourceId === serverId);
      const vnfc = vnfcInfo.find((one) => one.vnfcResourceInfoId === resource?.id);
      return { name, id: resource === undefined ? undefined : vnfc?.id };
    });
    const unknown = vnfcs.filter(({ id }) => id === undefined).map(({ name }) => name);
    if (unknown.length > 0)
      return failed(`the VNF manager has no VNFC for ${unknown.join(", ")}`, [], [AGAIN]);
    const ids = vnfcs.flatMap(({ id }) => id ?? []);
    // Without its server a member has no name here: it is known by what it lacks.
    const next = [
      `tidewater vnf heal ${instance.name} --via sol003, without names, makes those anew whose servers are gone`,
    ];
    const prepare = async (): Promise<Outcome | undefined> => {
      // Heat would detach the ports before it replaces a server, which nobody does on a host that is down; and its place is free then.
      const kept = await orFailed(
        async () => (await removeServers(nova, members, run, [])) ?? done("", false),
        async () => [],
        [],
        run.signal,
      );
      return kept.kind === "failed" ? kept : undefined;
    };
    const outcome = await healSol003(vnfm, instance.name, ids, "vnfc_failed", run, prepare);
    const names = members.map(({ name }) => name).join(", ");
    return outcome.kind === "done"
      ? done(`made anew: ${names}`)
      : { ...outcome, next: [...outcome.next, ...next] };
  }

  upgrade(): Promise<Outcome> {
    return Promise.resolve(
      failed(
        "a VNF manager upgrades by another package, not by an image alone",
        [],
        ["onboard the package of the new release and instantiate it beside this one"],
      ),
    );
  }

  terminate(name: string, run: Run): Promise<Outcome> {
    const { vnfm, gracefulSeconds = 0 } = this.#modules;
    return terminateSol003(vnfm, name, gracefulSeconds, run);
  }

  #switch(members: readonly VnfMember[], to: "SHUTOFF" | "ACTIVE", run: Run): Promise<Outcome> {
    const { nova } = this.#modules;
    return orFailed(
      () => switchServers(nova, members, to, run),
      async () => [],
      [AGAIN],
      run.signal,
    );
  }
}
