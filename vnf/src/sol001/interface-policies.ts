import { securityRules } from "../model/security-rules.ts";
import { type DeploymentFlavour, descriptorVdus } from "./deployment-flavour.ts";
import type { DescriptorRequest } from "./descriptor.ts";
import { connectionPoint } from "./node-templates.ts";
import { policy, type Tosca, type ToscaMap } from "./tosca.ts";

/** Security group rules, each for the connection points of all VDUs it is for. */
export function securityPolicies(
  request: DescriptorRequest,
  flavour: DeploymentFlavour,
): [string, ToscaMap][] {
  const vdus = descriptorVdus(flavour, request.profile);
  const rules = new Map<string, { targets: Set<string>; properties: ToscaMap }>();
  for (const { vdu, network, direction, protocol, port, last } of securityRules(
    request.model,
    new Set(flavour.pools.map(({ vdu: one }) => one.name)),
  )) {
    const name = `${network}_${direction}_${protocol}_${port}`;
    const properties = {
      description: `${protocol} ${port === last ? port : `${port} to ${last}`} on ${network}`,
      direction,
      ether_type: "ipv4",
      protocol,
      port_range_min: port,
      port_range_max: last,
    };
    const rule = rules.get(name) ?? { targets: new Set(), properties };
    rules.set(name, rule);
    for (const one of vdus) if (one.pool.vdu.name === vdu) rule.targets.add(connectionPoint(one, network));
  }
  return [...rules].map(([name, { targets, properties }]) => [
    name,
    policy("SecurityGroupRule", properties, [...targets]),
  ]);
}

/** Interfaces of SOL 002, indicators and coordination; 2.6.1 knows the first alone. */
export function interfacePolicies(
  request: DescriptorRequest,
  flavour: DeploymentFlavour,
): [string, ToscaMap][] {
  const { facts, profile } = request;
  const management =
    profile === "sol001-4"
      ? facts.connection_points.filter(({ network }) => network === "management").map(({ name }) => name)
      : managementPoints(request, flavour);
  const supported = (interfaceName: string, path: string): [string, ToscaMap] => [
    `${interfaceName}_interface`,
    policy(
      "SupportedVnfInterface",
      {
        interface_name: interfaceName,
        details: { uri_components: { scheme: "https", path } },
      },
      management,
    ),
  ];
  const indicatorInterface = supported("vnf_indicator", "/vnfind/v1");
  if (profile === "sol001-2.6.1") return [indicatorInterface];
  return [
    indicatorInterface,
    supported("vnf_lcm_coordination", "/lcmcoord/v1"),
    ["indicators", policy("VnfIndicator", { source: "em" }, ["VNF"])],
    ...facts.coordination.map(({ name, purpose }): [string, ToscaMap] => [
      `${name}_action`,
      policy("LcmCoordinationAction", {
        action_name: name,
        action: { description: purpose, endpoint_type: "mgmt", coordination_stage: "start" },
      }),
    ]),
    ...operationsOf(request).map(([operation, actions]): [string, ToscaMap] => [
      `${operation}_coordination`,
      policy("LcmCoordinationsForLcmOperation", { vnf_lcm_operation: operation, actions }),
    ]),
  ];
}

function operationsOf({ facts }: DescriptorRequest): [string, Tosca][] {
  const operations = new Set(facts.coordination.flatMap((action) => action.operations));
  return [...operations].map((operation) => [
    operation,
    facts.coordination.filter((action) => action.operations.includes(operation)).map(({ name }) => name),
  ]);
}

function managementPoints(request: DescriptorRequest, flavour: DeploymentFlavour): string[] {
  return descriptorVdus(flavour, request.profile)
    .filter(({ pool }) => pool.vdu.networks.includes("management"))
    .map((vdu) => connectionPoint(vdu, "management"));
}
