import { child, entries, items, textOf } from "../../checks/hot/hot-node.ts";
import {
  type DescriptorBundle,
  nodesOf,
  propertyOf,
  requirementsOf,
  VDU,
  VDU_CP,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";

const FACTS = [
  "descriptor_id",
  "descriptor_version",
  "provider",
  "product_name",
  "software_version",
] as const;

/** One VNF in each flavour, flavours told apart, facts of the product the same everywhere, mappings that lead somewhere. */
export function flavourRules(bundle: DescriptorBundle): PackageFault[] {
  const { flavours, types, top, descriptors } = bundle;
  const faults: PackageFault[] = [];
  if (flavours.length === 0)
    return [
      {
        file: top,
        line: 0,
        at: "",
        problem: "there is no deployment flavour: no file has substitution_mappings",
        remedy: "import a service template for each flavour",
      },
    ];
  const seen = new Map<string, string>();
  const topFile = descriptors.get(top);
  const wanted = topFile === undefined ? undefined : [...nodesOf(topFile).values()][0];
  for (const flavour of flavours) {
    const { file, root, flavourId, nodes } = flavour;
    const mapping = child(root, "topology_template", "substitution_mappings");
    const mappingLine = child(mapping, "properties", "flavour_id")?.line ?? mapping?.line ?? 0;
    const fault = (line: number, at: string, problem: string, remedy: string): void => {
      faults.push({ file, line, at, problem, remedy });
    };
    const other = seen.get(flavourId);
    if (other !== undefined)
      fault(
        mappingLine,
        "flavour_id",
        `${flavourId} is the flavour of ${other}, too`,
        "give each flavour a name of its own",
      );
    seen.set(flavourId, file);
    const vnfs = [...nodes.values()].filter(({ type }) =>
      types.isKindOf("node_types", type, "tosca.nodes.nfv.VNF"),
    );
    if (vnfs.length !== 1)
      fault(
        mapping?.line ?? 0,
        "node_templates",
        `${vnfs.length} node templates of a VNF`,
        "have exactly one",
      );
    const [vnf] = vnfs;
    if (vnf !== undefined) {
      const own = propertyOf(vnf, "flavour_id");
      if (textOf(own) !== flavourId)
        fault(
          own?.line ?? vnf.line,
          `${vnf.name}.flavour_id`,
          `"${textOf(own) ?? ""}" is not the flavour ${flavourId} of the substitution mappings`,
          `write ${flavourId} at both places`,
        );
      const mapped = child(mapping, "node_type");
      if (textOf(mapped) !== vnf.type)
        fault(
          mapped?.line ?? 0,
          "substitution_mappings.node_type",
          `"${textOf(mapped) ?? ""}" is not the type ${vnf.type} of the VNF`,
          `write ${vnf.type}`,
        );
      for (const fact of FACTS) {
        const here = propertyOf(vnf, fact);
        const there = wanted === undefined ? undefined : textOf(propertyOf(wanted, fact));
        if (here !== undefined && there !== undefined && textOf(here) !== there)
          fault(
            here.line,
            `${vnf.name}.${fact}`,
            `"${textOf(here) ?? ""}" differs from "${there}" in ${top}`,
            "make them the same",
          );
      }
    }
    for (const { key, line, value } of entries(child(mapping, "requirements"))) {
      const [target, requirement] = items(value).map(textOf);
      const node = nodes.get(target ?? "");
      if (node === undefined)
        fault(
          line,
          `substitution_mappings.${key}`,
          `there is no node template ${target ?? ""}`,
          "name a connection point of the VNF",
        );
      else if (!types.requirements(node.type).has(requirement ?? ""))
        fault(
          line,
          `substitution_mappings.${key}`,
          `${target} has no requirement ${requirement ?? ""}`,
          `it has ${[...types.requirements(node.type).keys()].join(", ")}`,
        );
      if (vnf !== undefined && !types.requirements(vnf.type).has(key))
        fault(
          line,
          `substitution_mappings.${key}`,
          `the type ${vnf.type} has no requirement ${key}`,
          "add it to the type, or take the mapping out",
        );
    }
    faults.push(...connectionFaults(flavour));
  }
  return faults;
}

/** Connection points of a VDU: each bound, in an order without gaps, on a virtual link or mapped to the outside. */
function connectionFaults({ file, root, nodes }: DescriptorBundle["flavours"][number]): PackageFault[] {
  const faults: PackageFault[] = [];
  const mapped = new Set(
    entries(child(root, "topology_template", "substitution_mappings", "requirements")).map(
      ({ value }) => textOf(items(value)[0]) ?? "",
    ),
  );
  const points = [...nodes.values()].filter(({ type }) => type === VDU_CP);
  for (const vdu of [...nodes.values()].filter(({ type }) => type === VDU)) {
    const own = points.filter((point) =>
      requirementsOf(point).some(({ name, target }) => name === "virtual_binding" && target === vdu.name),
    );
    const orders = own.map((point) => Number(textOf(propertyOf(point, "order")) ?? -1));
    if (own.length === 0)
      faults.push({
        file,
        line: vdu.line,
        at: vdu.name,
        problem: "no connection point is bound to it",
        remedy: "bind one at least",
      });
    own.forEach((point, at) => {
      const order = orders[at] ?? -1;
      if (order < 0 || order >= own.length || orders.indexOf(order) !== at)
        faults.push({
          file,
          line: propertyOf(point, "order")?.line ?? point.line,
          at: `${point.name}.order`,
          problem: `${order} is ${orders.indexOf(order) === at ? "beyond the interfaces" : "the place of another interface"} of ${vdu.name}`,
          remedy: `number its ${own.length} connection points from 0 to ${own.length - 1}`,
        });
    });
  }
  for (const point of points)
    if (!mapped.has(point.name) && !requirementsOf(point).some(({ name }) => name === "virtual_link"))
      faults.push({
        file,
        line: point.line,
        at: point.name,
        problem: "is on no virtual link and not mapped to the outside",
        remedy: "give it the requirement virtual_link, or a substitution mapping",
      });
  return faults;
}
