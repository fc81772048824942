import { child, entries, type HotNode, items, textOf } from "../../checks/hot/hot-node.ts";
import type { DescriptorFile } from "./descriptor-bundle.ts";

export const TYPE_SECTIONS = [
  "node_types",
  "capability_types",
  "relationship_types",
  "policy_types",
  "data_types",
  "artifact_types",
  "interface_types",
  "group_types",
] as const;
export type TypeSection = (typeof TYPE_SECTIONS)[number];

export interface TypeDefinition {
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly section: TypeSection;
  readonly body: HotNode;
}

export interface RequirementDefinition {
  readonly name: string;
  readonly capability: string;
  /** Least number of them. */
  readonly least: number;
}

export interface TypeCatalogue {
  readonly all: readonly TypeDefinition[];
  has(section: TypeSection, name: string): boolean;
  /** The type itself, then what it is derived from, as far as the package says. */
  ancestry(section: TypeSection, name: string): readonly TypeDefinition[];
  isKindOf(section: TypeSection, name: string, base: string): boolean;
  properties(section: TypeSection, name: string): ReadonlyMap<string, HotNode>;
  requirements(name: string): ReadonlyMap<string, RequirementDefinition>;
  /** Types of a node type's capabilities by name. */
  capabilities(name: string): ReadonlyMap<string, string>;
}

/** Types that TOSCA itself brings: tosca.nodes.Root and the like. */
export function isNormative(name: string): boolean {
  return /^tosca\.(?!.*\.nfv\.)/.test(name);
}

export function typeCatalogue(files: readonly DescriptorFile[]): TypeCatalogue {
  const types = new Map<string, TypeDefinition>();
  for (const { file, root } of files)
    for (const section of TYPE_SECTIONS)
      for (const { key, line, value } of entries(child(root, section)))
        types.set(`${section} ${key}`, { file, name: key, line, section, body: value });

  const ancestry = (section: TypeSection, name: string): TypeDefinition[] => {
    const line: TypeDefinition[] = [];
    let next: string | undefined = name;
    while (next !== undefined) {
      const type: TypeDefinition | undefined = types.get(`${section} ${next}`);
      if (type === undefined || line.includes(type)) break;
      line.push(type);
      next = textOf(child(type.body, "derived_from"));
    }
    return line;
  };
  const collect = <T>(
    section: TypeSection,
    name: string,
    of: (type: TypeDefinition) => Iterable<readonly [string, T]>,
  ): Map<string, T> => {
    const found = new Map<string, T>();
    for (const type of [...ancestry(section, name)].reverse())
      for (const [key, value] of of(type)) found.set(key, value);
    return found;
  };
  return {
    all: [...types.values()],
    has: (section, name) => types.has(`${section} ${name}`) || isNormative(name),
    ancestry,
    isKindOf: (section, name, base) => ancestry(section, name).some((type) => type.name === base),
    properties: (section, name) =>
      collect(section, name, ({ body }) =>
        entries(child(body, "properties")).map(({ key, value }) => [key, value] as const),
      ),
    requirements: (name) =>
      collect("node_types", name, ({ body }) =>
        items(child(body, "requirements")).flatMap((item) =>
          entries(item).map(({ key, value }) => {
            const least = Number(textOf(items(child(value, "occurrences"))[0]) ?? 1);
            const capability = textOf(child(value, "capability")) ?? "";
            return [key, { name: key, capability, least }] as const;
          }),
        ),
      ),
    capabilities: (name) =>
      collect("node_types", name, ({ body }) =>
        entries(child(body, "capabilities")).map(
          ({ key, value }) => [key, textOf(child(value, "type")) ?? ""] as const,
        ),
      ),
  };
}
