import type { VnfModel } from "./model.ts";
import type { Vdu } from "./schemas.ts";

/** One direction of one port: the rule of a security group, which is stateful, so answers need none. */
export interface SecurityRule {
  readonly vdu: string;
  readonly network: string;
  readonly direction: "ingress" | "egress";
  readonly protocol: "udp" | "tcp";
  readonly port: number;
  /** The same as `port`, but of a range. */
  readonly last: number;
  /** The other side: a VDU (by its security group on that network) or a party outside (by its addresses). */
  readonly remote: { readonly kind: "vdu" | "outside"; readonly name: string };
  /** The row of the table of ports this comes from: process/name. */
  readonly because: string;
}

/**
 * What is open, and nothing else is: for each connection the table of ports allows, the rule at either end, each once. `chosen`: of the
 * pools that a deployment may leave out those that it has; default: all.
 */
export function securityRules(model: VnfModel, chosen?: ReadonlySet<string>): SecurityRule[] {
  const vdus = model.vdus.filter(({ name, pool }) => pool.default > 0 || chosen?.has(name) !== false);
  const rules = new Map<string, SecurityRule>();
  const add = (rule: SecurityRule): void => {
    const { vdu, network, direction, protocol, port, remote } = rule;
    const id = [vdu, network, direction, protocol, port, remote.kind, remote.name].join(" ");
    if (!rules.has(id)) rules.set(id, rule);
  };
  const on = (process: string, network: string): Vdu[] =>
    vdus.filter((vdu) => vdu.processes.includes(process) && vdu.networks.includes(network));
  const runs = (all: readonly Vdu[], process: string): boolean =>
    all.some(({ processes }) => processes.includes(process));
  const absent = (process: string): boolean => runs(model.vdus, process) && !runs(vdus, process);
  for (const { process, name, protocols, port, last = port, network, from, reserved } of model.ports) {
    if (reserved || absent(process)) continue;
    const servers = on(process, network);
    for (const who of from.filter((one) => !absent(one)))
      for (const protocol of protocols) {
        const clients = on(who, network);
        const base = { network, protocol, port, last, because: `${process}/${name}` };
        for (const server of servers)
          for (const remote of remotesOf(clients, who))
            add({ ...base, vdu: server.name, direction: "ingress", remote });
        for (const client of clients)
          for (const remote of remotesOf(servers, process))
            add({ ...base, vdu: client.name, direction: "egress", remote });
      }
  }
  return [...rules.values()];
}

function remotesOf(vdus: readonly Vdu[], party: string): SecurityRule["remote"][] {
  if (vdus.length === 0) return [{ kind: "outside", name: party }];
  return vdus.map(({ name }) => ({ kind: "vdu", name }));
}
