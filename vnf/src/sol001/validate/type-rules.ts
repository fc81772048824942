import { child, entries, type HotNode, textOf } from "../../checks/hot/hot-node.ts";
import {
  type DescriptorBundle,
  nodesOf,
  requirementsOf,
  type Template,
  targetsOf,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";
import { checkProperties } from "./property-value.ts";
import { isNormative, TYPE_SECTIONS } from "./type-catalogue.ts";

const VERSIONS = ["tosca_simple_yaml_1_2", "tosca_simple_yaml_1_3"];
const RESERVED = new Set(["derived_from", "type", "description"]);

/** Versions are known, and types are derived from types. */
export function definitionRules({ descriptors, types }: DescriptorBundle): PackageFault[] {
  const faults: PackageFault[] = [];
  for (const { file, root } of descriptors.values()) {
    const version = child(root, "tosca_definitions_version");
    if (!VERSIONS.includes(textOf(version) ?? ""))
      faults.push({
        file,
        line: version?.line ?? 1,
        at: "tosca_definitions_version",
        problem: `"${textOf(version) ?? ""}" is not known`,
        remedy: `write one of ${VERSIONS.join(", ")}`,
      });
  }
  for (const { file, name, section, body } of types.all) {
    const base = child(body, "derived_from");
    const baseName = textOf(base);
    if (baseName !== undefined && !types.has(section, baseName))
      faults.push({
        file,
        line: base?.line ?? 0,
        at: name,
        problem: `derived from ${baseName}, which there is not`,
        remedy: `import the file that defines it, or correct the name`,
      });
  }
  return faults;
}

/** Node templates: type, properties, capabilities, artefacts, requirements and what they point at. */
export function nodeRules(bundle: DescriptorBundle): PackageFault[] {
  return [...bundle.descriptors.values()].flatMap((descriptor) => {
    const nodes = nodesOf(descriptor);
    return [...nodes.values()].flatMap((node) => nodeFaults(bundle, node, nodes));
  });
}

function nodeFaults(
  { types }: DescriptorBundle,
  node: Template,
  nodes: ReadonlyMap<string, Template>,
): PackageFault[] {
  const { file, name, type, typeLine, body, line } = node;
  if (!types.has("node_types", type)) return [unknownType(node, "node type", TYPE_SECTIONS[0])];
  const faults: PackageFault[] = [];
  const check = (
    definitions: ReadonlyMap<string, HotNode>,
    values: HotNode | undefined,
    at: string,
    from: number,
  ) => {
    for (const fault of checkProperties(types, definitions, values, from, at))
      faults.push({ file, ...fault });
  };
  check(types.properties("node_types", type), child(body, "properties"), name, typeLine);
  const capabilities = types.capabilities(type);
  for (const { key, line: at, value } of entries(child(body, "capabilities"))) {
    const capability = capabilities.get(key);
    if (capability === undefined)
      faults.push({
        file,
        line: at,
        at: `${name}.${key}`,
        problem: `a ${type} has no such capability`,
        remedy: `its capabilities are ${[...capabilities.keys()].join(", ") || "none"}`,
      });
    else
      check(
        types.properties("capability_types", capability),
        child(value, "properties"),
        `${name}.${key}`,
        at,
      );
  }
  for (const { key, line: at, value } of entries(child(body, "artifacts"))) {
    const artifact = textOf(child(value, "type")) ?? "";
    if (!types.has("artifact_types", artifact))
      faults.push({
        file,
        line: child(value, "type")?.line ?? at,
        at: `${name}.${key}`,
        problem: `there is no artifact type ${artifact}`,
        remedy: "import the file that defines it, or correct the name",
      });
    else
      check(types.properties("artifact_types", artifact), child(value, "properties"), `${name}.${key}`, at);
  }
  return [...faults, ...requirementFaults(node, nodes, types, line)];
}

function requirementFaults(
  node: Template,
  nodes: ReadonlyMap<string, Template>,
  types: DescriptorBundle["types"],
  line: number,
): PackageFault[] {
  const { file, name, type } = node;
  const definitions = types.requirements(type);
  const faults: PackageFault[] = [];
  for (const { name: requirement, target, line: at } of requirementsOf(node)) {
    const fault = (problem: string, remedy: string): void => {
      faults.push({ file, line: at, at: `${name}.${requirement}`, problem, remedy });
    };
    const definition = definitions.get(requirement);
    const aim = nodes.get(target);
    if (definition === undefined)
      fault(`a ${type} has no such requirement`, `it has ${[...definitions.keys()].join(", ") || "none"}`);
    else if (aim === undefined)
      fault(`there is no node template ${target}`, `name one of ${sample([...nodes.keys()])}`);
    else if (
      ![...types.capabilities(aim.type).values()].some((offered) =>
        types.isKindOf("capability_types", offered, definition.capability),
      )
    )
      fault(
        `${target} is a ${aim.type} and offers no ${definition.capability}`,
        "point it at a node template that does",
      );
  }
  for (const { name: needed, least } of definitions.values()) {
    // A connection point without a virtual link of its own is the VNF's: substitution mappings say so.
    if (needed === "virtual_link" || least === 0 || isNormative(type)) continue;
    if (!requirementsOf(node).some((given) => given.name === needed))
      faults.push({
        file,
        line,
        at: name,
        problem: `the requirement ${needed} is missing`,
        remedy: `say which node template meets it`,
      });
  }
  return faults;
}

/** Policies: type, properties and targets. */
export function policyRules({ flavours, types }: DescriptorBundle): PackageFault[] {
  return flavours.flatMap(({ nodes, policies }) =>
    policies.flatMap((policy): PackageFault[] => {
      const { file, type, typeLine, body, name } = policy;
      if (!types.has("policy_types", type)) return [unknownType(policy, "policy type", "policy_types")];
      const definitions = types.properties("policy_types", type);
      const faults: PackageFault[] = checkProperties(
        types,
        definitions,
        child(body, "properties"),
        typeLine,
        name,
      ).map((fault) => ({ file, ...fault }));
      const [own] = types.ancestry("policy_types", type);
      const allowed = own === undefined ? [] : entriesOfList(child(own.body, "targets"));
      for (const target of targetsOf(policy)) {
        const node = nodes.get(target);
        const at = child(body, "targets")?.line ?? typeLine;
        if (node === undefined)
          faults.push({
            file,
            line: at,
            at: `${name}.targets`,
            problem: `there is no node template ${target}`,
            remedy: `name one of ${sample([...nodes.keys()])}`,
          });
        else if (allowed.length > 0 && !allowed.some((base) => types.isKindOf("node_types", node.type, base)))
          faults.push({
            file,
            line: at,
            at: `${name}.targets`,
            problem: `${target} is a ${node.type}`,
            remedy: `targets of a ${type} are ${allowed.join(", ")}`,
          });
      }
      return faults;
    }),
  );
}

function entriesOfList(node: HotNode | undefined): string[] {
  return node?.kind === "list" ? node.items.map((item) => textOf(item) ?? "") : [];
}

function unknownType({ file, name, type, typeLine }: Template, what: string, section: string): PackageFault {
  return {
    file,
    line: typeLine,
    at: name,
    problem: RESERVED.has(type) || type === "" ? `has no type` : `there is no ${what} ${type}`,
    remedy: `import the file that defines it (${section}), or correct the name`,
  };
}

function sample(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 12).join(", ")}, ...` : names.join(", ");
}
