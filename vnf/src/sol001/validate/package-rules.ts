import { createHash } from "node:crypto";
import { posix } from "node:path";
import { child, entries, items, textOf } from "../../checks/hot/hot-node.ts";
import {
  type DescriptorBundle,
  integerOf,
  policiesOf,
  propertyOf,
  type Template,
  targetsOf,
  VDU,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";

/** Images: each VDU has one that is in the package, of the size and with the checksum that are told. */
export function imageRules({ flavours, files, types }: DescriptorBundle): PackageFault[] {
  const digests = new Map<string, string>();
  const digestOf = (path: string, bytes: Uint8Array, algorithm: string): string => {
    const id = `${algorithm} ${path}`;
    const known = digests.get(id) ?? createHash(algorithm).update(bytes).digest("hex");
    digests.set(id, known);
    return known;
  };
  const inProperties = types.properties("node_types", VDU).has("sw_image_data");
  return flavours.flatMap(({ file, nodes }) =>
    [...nodes.values()]
      .filter(({ type }) => type === VDU)
      .flatMap((vdu): PackageFault[] => {
        const artifacts = entries(child(vdu.body, "artifacts")).filter(
          ({ value }) => textOf(child(value, "type")) === "tosca.artifacts.nfv.SwImage",
        );
        const fault = (line: number, problem: string, remedy: string): PackageFault => ({
          file,
          line,
          at: `${vdu.name}.artifacts`,
          problem,
          remedy,
        });
        // In 2.6.1 an image may be one that the image service has already.
        if (artifacts.length === 0 && propertyOf(vdu, "sw_image_data") !== undefined) return [];
        if (artifacts.length !== 1)
          return [
            fault(
              vdu.line,
              `${artifacts.length} software images`,
              "give the VDU exactly one tosca.artifacts.nfv.SwImage",
            ),
          ];
        const [artifact] = artifacts;
        const source = child(artifact?.value, "file");
        const path = posix.normalize(posix.join(posix.dirname(file), textOf(source) ?? ""));
        const bytes = files.get(path);
        if (bytes === undefined)
          return [
            fault(
              source?.line ?? vdu.line,
              `there is no file ${path} in the package`,
              "put the image there, or correct the path",
            ),
          ];
        const data = inProperties ? propertyOf(vdu, "sw_image_data") : child(artifact?.value, "properties");
        if (data === undefined)
          return [
            fault(
              vdu.line,
              "nothing is told of the image",
              "add sw_image_data with name, version, checksum, format and sizes",
            ),
          ];
        const algorithm = textOf(child(data, "checksum", "algorithm")) ?? "";
        const hash = child(data, "checksum", "hash");
        const size = child(data, "size");
        const found: PackageFault[] = [];
        if (
          /^sha-(?:224|256|384|512)$/.test(algorithm) &&
          textOf(hash) !== digestOf(path, bytes, algorithm.replace("-", ""))
        )
          found.push(
            fault(
              hash?.line ?? vdu.line,
              `the ${algorithm} of ${path} is another one`,
              "build the package again, or find out who changed the image",
            ),
          );
        if (size !== undefined && textOf(size) !== `${bytes.length} B`)
          found.push(
            fault(size.line, `${path} has ${bytes.length} B, not ${textOf(size)}`, `write ${bytes.length} B`),
          );
        return found;
      }),
  );
}

/** Coordination actions, interfaces and ports. */
export function interfaceRules({ flavours }: DescriptorBundle): PackageFault[] {
  return flavours.flatMap((flavour) => [
    ...coordinationFaults(flavour),
    ...policiesOf(flavour, "SecurityGroupRule").flatMap((rule): PackageFault[] => {
      const [from, to] = [propertyOf(rule, "port_range_min"), propertyOf(rule, "port_range_max")];
      const [least, most] = [integerOf(from) ?? 0, integerOf(to) ?? 65_535];
      return least > most
        ? [
            {
              file: flavour.file,
              line: from?.line ?? rule.line,
              at: rule.name,
              problem: `ports from ${least} to ${most}: none`,
              remedy: "write the lower number first",
            },
          ]
        : [];
    }),
  ]);
}

function coordinationFaults(flavour: DescriptorBundle["flavours"][number]): PackageFault[] {
  const { file } = flavour;
  const faults: PackageFault[] = [];
  const actions = new Map<string, Template>();
  for (const policy of policiesOf(flavour, "LcmCoordinationAction"))
    actions.set(textOf(propertyOf(policy, "action_name")) ?? "", policy);
  const used = new Set<string>();
  for (const policy of policiesOf(flavour, "LcmCoordinationsForLcmOperation"))
    for (const item of items(propertyOf(policy, "actions"))) {
      const name = textOf(item) ?? "";
      used.add(name);
      if (!actions.has(name))
        faults.push({
          file,
          line: item.line,
          at: `${policy.name}.actions`,
          problem: `there is no coordination action ${name}`,
          remedy: `the actions are ${[...actions.keys()].join(", ") || "none"}`,
        });
    }
  for (const [name, { line }] of actions)
    if (!used.has(name))
      faults.push({
        file,
        line,
        at: name,
        problem: "no operation is coordinated by this action",
        remedy: "name it in a LcmCoordinationsForLcmOperation, or take it out",
      });
  const interfaces = policiesOf(flavour, "SupportedVnfInterface");
  const served = interfaces.filter((policy) => targetsOf(policy).length > 0);
  const named = new Set(served.map((policy) => textOf(propertyOf(policy, "interface_name"))));
  const [first] = actions.values();
  if (first !== undefined && !named.has("vnf_lcm_coordination"))
    faults.push({
      file,
      line: first.line,
      at: first.name,
      problem: "no connection point serves vnf_lcm_coordination",
      remedy: "add a SupportedVnfInterface for it with a connection point as its target",
    });
  return faults;
}
