import { posix } from "node:path";
import {
  child,
  entries,
  type HotEntry,
  type HotNode,
  items,
  readHot,
  textOf,
} from "../../checks/hot/hot-node.ts";
import type { PackageFault } from "./descriptor-fault.ts";
import { type TypeCatalogue, typeCatalogue } from "./type-catalogue.ts";

/** Files of a package by path, with slashes, from its root. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

export interface DescriptorFile {
  readonly file: string;
  readonly root: HotNode;
}

/** A node template or a policy: where it is, and what. */
export interface Template {
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly type: string;
  readonly typeLine: number;
  readonly body: HotNode;
}

/** A deployment flavour: a service template that stands for the VNF. */
export interface FlavourFile extends DescriptorFile {
  readonly flavourId: string;
  readonly nodes: ReadonlyMap<string, Template>;
  readonly policies: readonly Template[];
}

export interface DescriptorBundle {
  readonly files: PackageFiles;
  readonly descriptors: ReadonlyMap<string, DescriptorFile>;
  readonly flavours: readonly FlavourFile[];
  readonly types: TypeCatalogue;
  readonly top: string;
}

export type DescriptorRule = (bundle: DescriptorBundle) => readonly PackageFault[];

export const VDU = "tosca.nodes.nfv.Vdu.Compute";
export const VDU_CP = "tosca.nodes.nfv.VduCp";

/** Reads what the top file imports, file by file; what cannot be read is a fault. */
export function readDescriptors(
  files: PackageFiles,
  top: string,
): { readonly bundle: DescriptorBundle; readonly faults: readonly PackageFault[] } {
  const faults: PackageFault[] = [];
  const descriptors = new Map<string, DescriptorFile>();
  const open = [{ file: top, from: undefined as { file: string; line: number } | undefined }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { file, from } = next;
    if (descriptors.has(file)) continue;
    const bytes = files.get(file);
    if (bytes === undefined) {
      faults.push({
        file: from?.file ?? file,
        line: from?.line ?? 0,
        at: from === undefined ? "" : "imports",
        problem: `there is no file ${file} in the package`,
        remedy: "put it into the package, or take it out of the imports: what is imported has to be inside",
      });
      continue;
    }
    const reading = readHot(Buffer.from(bytes).toString("utf8"), file);
    if (reading.kind === "bad") {
      faults.push({ ...reading.fault, remedy: "correct the YAML of this line" });
      continue;
    }
    descriptors.set(file, { file, root: reading.root });
    for (const item of items(child(reading.root, "imports"))) {
      const path = textOf(item) ?? textOf(child(item, "file")) ?? "";
      open.push({
        file: /^[a-z]+:/.test(path) ? path : posix.normalize(posix.join(posix.dirname(file), path)),
        from: { file, line: item.line },
      });
    }
  }
  const flavours = [...descriptors.values()].filter(
    ({ root }) => child(root, "topology_template", "substitution_mappings") !== undefined,
  );
  return {
    bundle: {
      files,
      descriptors,
      flavours: flavours.map(flavourOf).sort((a, b) => (a.file < b.file ? -1 : 1)),
      types: typeCatalogue([...descriptors.values()]),
      top,
    },
    faults,
  };
}

export function nodesOf({ file, root }: DescriptorFile): Map<string, Template> {
  const templates = entries(child(root, "topology_template", "node_templates"));
  return new Map(templates.map((entry) => [entry.key, templateOf(file, entry)]));
}

function flavourOf(descriptor: DescriptorFile): FlavourFile {
  const { file, root } = descriptor;
  const policies = items(child(root, "topology_template", "policies")).flatMap((item) => entries(item));
  const mapping = child(root, "topology_template", "substitution_mappings", "properties", "flavour_id");
  return {
    file,
    root,
    flavourId: textOf(mapping) ?? "",
    nodes: nodesOf(descriptor),
    policies: policies.map((entry) => templateOf(file, entry)),
  };
}

function templateOf(file: string, { key, line, value }: HotEntry): Template {
  const type = child(value, "type");
  return { file, name: key, line, type: textOf(type) ?? "", typeLine: type?.line ?? line, body: value };
}

export function policiesOf(flavour: FlavourFile, type: string): Template[] {
  return flavour.policies.filter((policy) => policy.type === `tosca.policies.nfv.${type}`);
}

export function targetsOf({ body }: Template): string[] {
  return items(child(body, "targets")).map((item) => textOf(item) ?? "");
}

export function propertyOf({ body }: Template, ...path: readonly string[]): HotNode | undefined {
  return child(body, "properties", ...path);
}

export function integerOf(node: HotNode | undefined): number | undefined {
  const text = textOf(node);
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Requirements of a template: name, target and line. */
export function requirementsOf({ body }: Template): { name: string; target: string; line: number }[] {
  return items(child(body, "requirements")).flatMap((item) =>
    entries(item).map(({ key, value, line }) => ({
      name: key,
      target: textOf(value) ?? textOf(child(value, "node")) ?? "",
      line,
    })),
  );
}
