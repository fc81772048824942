import type { PoolState, VnfInstance, VnfMember } from "../lcm/vnf-driver.ts";
import type { VnfModel } from "../model/model.ts";
import type { Server } from "../openstack/nova.ts";
import { deploymentFlavour, spareMembers } from "../sol001/deployment-flavour.ts";
import type { VnfdFacts } from "../sol001/vnfd-facts.ts";
import type { OperationOccurrence, Sol003Instance } from "./schemas.ts";

/** Pool of a VDU of either profile: bono, bono_cell_1. */
export function poolOfVdu(vduId: string): string {
  return vduId.replace(/_cell_\d+$/, "");
}

/** An instance of a VNF manager in the words of all drivers; sizes are counted, shares and cells are those of its flavour. */
export function stateOfInstance(
  name: string,
  { id, instantiationState, instantiatedVnfInfo: info }: Sol003Instance,
  operations: readonly OperationOccurrence[],
  { model, facts }: { readonly model: VnfModel; readonly facts: VnfdFacts },
): VnfInstance {
  const under = operations.find(({ operationState }) =>
    ["STARTING", "PROCESSING", "ROLLING_BACK"].includes(operationState),
  );
  const undecided = operations.find(({ operationState }) => operationState === "FAILED_TEMP");
  const flavourFacts = facts.flavours.find((one) => one.name === info?.flavourId);
  const flavour = flavourFacts === undefined ? undefined : deploymentFlavour(model, flavourFacts);
  const made = info?.vnfcInfo ?? [];
  const pools = (flavour?.pools ?? []).map((scaling): PoolState => {
    const { vdu, cellMap } = scaling;
    const size = made.filter(({ vduId }) => poolOfVdu(vduId) === vdu.name).length;
    return {
      pool: vdu.name,
      size,
      share: vdu.tolerated.share,
      spare: spareMembers(scaling, size),
      cellMap,
      zoneMap: cellMap.map(() => 0),
      zones: [vdu.zone],
    };
  });
  return {
    name,
    id,
    status: undecided === undefined ? instantiationState : `${undecided.operation} FAILED_TEMP`,
    state:
      under !== undefined
        ? "busy"
        : undecided !== undefined || instantiationState === "NOT_INSTANTIATED"
          ? "failed"
          : "ready",
    reason: under === undefined ? (undecided?.error?.detail ?? "") : `${under.operation} goes on`,
    guaranteed: flavour?.guarded ?? false,
    pools,
    parameters: new Map(),
  };
}

/** Its members, with what Nova says of their servers. The templates name a server for its member: bono-3. */
export function membersOfInstance(
  { instantiatedVnfInfo: info }: Sol003Instance,
  servers: readonly Server[],
): VnfMember[] {
  const byId = new Map(servers.map((server) => [server.id, server]));
  const order = new Map<string, number>();
  const members = (info?.vnfcResourceInfo ?? []).map(({ vduId, computeResource }): VnfMember => {
    const pool = poolOfVdu(vduId);
    if (!order.has(pool)) order.set(pool, order.size);
    const serverId = computeResource.resourceId ?? undefined;
    const server = serverId === undefined ? undefined : byId.get(serverId);
    const [, number] = /-(\d+)$/.exec(server?.name ?? "") ?? [];
    const broken = server === undefined || server.status === "ERROR";
    return {
      pool,
      index: number === undefined ? -1 : Number(number),
      name: server?.name ?? `${pool}-?`,
      state: broken ? "failed" : "ready",
      reason: server === undefined ? "its server is gone" : (server.fault?.message ?? ""),
      addresses: Object.values(server?.addresses ?? {}).flatMap((all) => all.map(({ addr }) => addr)),
      ...(serverId === undefined ? {} : { serverId }),
      ...(server === undefined ? {} : { serverStatus: server.status }),
      ...(server === undefined || server.hostId === "" ? {} : { hostId: server.hostId }),
      ...(server?.host_status === undefined ? {} : { hostStatus: server.host_status }),
      ...(server?.["OS-EXT-AZ:availability_zone"] ? { zone: server["OS-EXT-AZ:availability_zone"] } : {}),
      ...(server?.image ? { image: server.image.id } : {}),
    };
  });
  return members.sort((a, b) => (order.get(a.pool) ?? 0) - (order.get(b.pool) ?? 0) || a.index - b.index);
}
