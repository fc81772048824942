import type { PoolsFileInput } from "@ims/runtime";
import { hostOf } from "./member-command.ts";
import { NODES_OF, POOLS, type PoolName, type UnitName } from "./request.ts";

/** A process as the pools file shows it: a worker as a member of two pools. */
export interface Listed {
  readonly pool: UnitName;
  readonly index: number;
  /** Admitted, but nothing new goes there. */
  readonly draining: boolean;
}

type Services = PoolsFileInput["pools"][number]["services"];

/** The ports that others find by name. The pool's own name is its entrance. */
const SERVICES: Readonly<Record<PoolName, Services>> = {
  homestead: [
    { protocol: "diameter", transport: "tcp", port: 3868 },
    { protocol: "diameters", transport: "tcp", port: 3869 },
  ],
  sprout: [
    { protocol: "sip", transport: "tcp", port: 5052 },
    { name: "icscf", protocol: "sip", transport: "tcp", port: 5052 },
    { name: "icscf", protocol: "sip", transport: "udp", port: 5052 },
    { name: "scscf", protocol: "sip", transport: "tcp", port: 5054 },
    { name: "scscf", protocol: "sip", transport: "udp", port: 5054 },
    { name: "ecscf", protocol: "sip", transport: "tcp", port: 5057 },
  ],
  bono: [{ protocol: "sip", transport: "tcp", port: 5058 }],
};

export function poolsContent(
  network: string,
  domain: string,
  members: readonly Listed[],
  addressOf: (pool: PoolName, index: number) => string = (pool, index) => hostOf(network, pool, index),
): PoolsFileInput {
  return {
    version: 1,
    domain,
    pools: POOLS.map((name) => ({
      name,
      services: SERVICES[name],
      members: members
        .filter(({ pool }) => NODES_OF[pool].includes(name))
        .map(({ index, draining }) => ({
          name: `${name}-${index}`,
          addresses: [addressOf(name, index)],
          draining,
        })),
    })),
  };
}
