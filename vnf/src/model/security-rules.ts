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

/** What is open, and nothing else is: for each connection the table of ports allows, the rule at either end, each once. */
export function securityRules(model: VnfModel): SecurityRule[] {
  const rules = new Map<string, SecurityRule>();
  const add = (rule: SecurityRule): void => {
    const { vdu, network, direction, protocol, port, remote } = rule;
    const id = [vdu, network, direction, protocol, port, remote.kind, remote.name].join(" ");
    if (!rules.has(id)) rules.set(id, rule);
  };
  const on = (process: string, network: string): Vdu[] =>
    model.vdus.filter((vdu) => vdu.processes.includes(process) && vdu.networks.includes(network));
  for (const { process, name, protocols, port, last = port, network, from, reserved } of model.ports) {
    if (reserved) continue;
    const servers = on(process, network);
    for (const who of from)
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
